import type { Node } from "yaml";
import { DeviceAddress, PacketAddress, Port } from "#contracts/address.ts";
import { type RawDevice, type Reading, type Unusable, clipped } from "./found.rules.ts";
import { YamlTree, elsewhere, textAt } from "./yaml-document.ts";

/** Home Assistant's own, for a switch without a name. */
const DEFAULT_NAME = "Wake on LAN";
/** `switch`, and `switch wake` or `switch 2` beside it. */
const SWITCH_KEY = /^switch(?: .*)?$/;
const MAX_ACTIONS = 3;
/** Steps of a script that do nothing to a machine. */
const PASSING = /^(?:delay|wait_|condition|alias)/;

/**
 * `switch: - platform: wake_on_lan` of Home Assistant's YAML: a whole configuration.yaml with its packages, a package, a file
 * of switches, or one switch alone. Other platforms and all else are passed over.
 *
 * `turn_off` is no part of a device here, so what it did is kept as the description of a new one.
 *
 * @see https://www.home-assistant.io/integrations/wake_on_lan/
 */
export function readHomeAssistant(text: string): Reading {
  const tree = new YamlTree(text.replace(/^\uFEFF/, ""));
  const { problem } = tree;
  if (problem) {
    const sentence = `This is no YAML that can be read: ${clipped(problem.message, 200)}`;
    return { found: [{ line: problem.line, mac: null, name: null, problem: sentence }], notes: [] };
  }
  const notes: string[] = [];
  const found = switchesIn(tree, tree.root, notes).map((entry) => deviceOf(tree, entry));
  if (tree.isExhausted) {
    const sentence = "This YAML refers to itself more often than a configuration does.";
    return { found: [{ line: 1, mac: null, name: null, problem: sentence }], notes: [] };
  }
  return { found, notes };
}

/** Every mapping with `platform: wake_on_lan` at a place where Home Assistant looks for one. */
function switchesIn(tree: YamlTree, root: Node | undefined, notes: string[]): Node[] {
  if (root && isWakeOnLan(tree, root)) return [root];
  const pairs = tree.pairsOf(root);
  if (pairs.length === 0) return ours(tree, root, notes);
  return pairs.flatMap(({ key, value }) => {
    if (SWITCH_KEY.test(key)) return ours(tree, value, notes);
    const packages = key === "homeassistant" ? tree.valueOf(value, "packages") : key === "packages" ? value : undefined;
    if (packages && elsewhere(packages)) noteElsewhere(tree, packages, notes);
    return tree
      .pairsOf(packages)
      .flatMap(({ value: one }) => {
        if (elsewhere(one)) noteElsewhere(tree, one, notes);
        return tree.pairsOf(one).filter((pair) => SWITCH_KEY.test(pair.key));
      })
      .flatMap((pair) => ours(tree, pair.value, notes));
  });
}

function ours(tree: YamlTree, list: Node | undefined, notes: string[]): Node[] {
  return tree.entriesOf(list).filter((entry) => {
    if (elsewhere(entry)) noteElsewhere(tree, entry, notes);
    return isWakeOnLan(tree, entry);
  });
}

function isWakeOnLan(tree: YamlTree, entry: Node): boolean {
  return textAt(tree.valueOf(entry, "platform")) === "wake_on_lan";
}

function noteElsewhere(tree: YamlTree, node: Node, notes: string[]): void {
  const what = clipped(elsewhere(node) ?? "", 100);
  if (notes.length < 20) notes.push(`Line ${tree.lineOf(node)} leads to another file (${what}); import that one, too.`);
}

function deviceOf(tree: YamlTree, entry: Node): RawDevice | Unusable {
  const line = tree.lineOf(entry);
  const notes: string[] = [];
  const name = textAt(tree.valueOf(entry, "name"));
  const macNode = tree.valueOf(entry, "mac", "mac_address");
  const hidden = elsewhere(macNode);
  if (hidden !== undefined) {
    const problem = `Its MAC address stands in another file (${clipped(hidden, 80)}); write it in its place here.`;
    return { line, mac: null, name: name ?? null, problem };
  }

  /** What fits; of what does not, or stands elsewhere, a note says that it is left out. */
  function kept<Value>(key: string, read: (text: string) => Value | undefined): Value | undefined {
    const node = tree.valueOf(entry, key);
    const text = elsewhere(node) ?? textAt(node);
    if (text === undefined || text === "") return undefined;
    const value = elsewhere(node) === undefined ? read(text) : undefined;
    if (value === undefined) notes.push(`${key} is left out: “${clipped(text, 60)}” cannot be taken over.`);
    return value;
  }

  const host = kept("host", (text) => DeviceAddress.safeParse(text).data);
  const broadcast = kept("broadcast_address", (text) => PacketAddress.safeParse(text).data);
  const port = kept("broadcast_port", (text) => Port.safeParse(/^\d+$/.test(text) ? Number(text) : undefined).data);
  const off = turnOffWords(tree, tree.valueOf(entry, "turn_off"));
  const wasTurnedOff = off && `Home Assistant turned it off by ${off}.`;
  return {
    line,
    fields: {
      mac: textAt(macNode) ?? "",
      name: name || undefined,
      address: host,
      "wake.addresses": broadcast && [broadcast],
      "wake.ports": port && [port],
    },
    suggested: { name: name || host || DEFAULT_NAME, description: wasTurnedOff },
    notes: [...notes, ...(wasTurnedOff ? [wasTurnedOff] : [])],
  };
}

/** `shell_command.turn_off_nas`: the actions by their names, without their data, which may hold a password. */
function turnOffWords(tree: YamlTree, script: Node | undefined): string | undefined {
  const hidden = elsewhere(script);
  if (hidden !== undefined) return clipped(hidden, 100);
  const actions = tree.entriesOf(script).flatMap((step) => actionWords(tree, step) ?? []);
  if (actions.length === 0) return undefined;
  const named = actions.slice(0, MAX_ACTIONS).join(", ");
  return actions.length > MAX_ACTIONS ? `${named} and ${actions.length - MAX_ACTIONS} more` : named;
}

function actionWords(tree: YamlTree, step: Node): string | undefined {
  const action = textAt(tree.valueOf(step, "action", "service"));
  if (action !== undefined) {
    const places = [step, tree.valueOf(step, "target"), tree.valueOf(step, "data")];
    const entity = places.map((place) => textAt(tree.valueOf(place, "entity_id"))).find(Boolean);
    return clipped(entity ? `${action} of ${entity}` : action, 100);
  }
  const scene = textAt(tree.valueOf(step, "scene"));
  if (scene !== undefined) return clipped(scene, 100);
  const type = textAt(tree.valueOf(step, "type"));
  if (type !== undefined) return clipped(`the action ${type} of a device`, 100);
  const [first] = tree.pairsOf(step);
  return first && !PASSING.test(first.key) ? `a step “${clipped(first.key, 40)}”` : undefined;
}
