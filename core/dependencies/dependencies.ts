import type { Need } from "#contracts/needs.ts";
import type { Directory, DirectoryChange, DirectoryDevice } from "../members/directory.ts";
import { findCircle, needsOfAll } from "../members/needs.rules.ts";

const NOTHING: readonly never[] = [];

/** Who needs whom, of all sites: looked up once after each change that matters, and then read. */
export class Dependencies {
  readonly #directory: Directory;
  #known:
    | { readonly needs: ReadonlyMap<string, readonly Need[]>; readonly dependents: Map<string, string[]> }
    | undefined;

  constructor(directory: Directory) {
    this.#directory = directory;
    directory.onChange((change) => {
      if (changesNeeds(change)) this.#known = undefined;
    });
  }

  /** What a device needs: its own needs, and those of its cluster. */
  needsOf(deviceId: string): readonly Need[] {
    return this.#now().needs.get(deviceId) ?? NOTHING;
  }

  /** The devices that need this one, by themselves or with their cluster. */
  of(deviceId: string): readonly DirectoryDevice[] {
    return this.dependentsOf(deviceId).flatMap((id) => this.#directory.devices.byId(id) ?? []);
  }

  /** The same, by their ids. */
  dependentsOf(deviceId: string): readonly string[] {
    return this.#now().dependents.get(deviceId) ?? NOTHING;
  }

  #now() {
    if (this.#known) return this.#known;
    const needs = withoutCircles(this.#directory);
    const dependents = new Map<string, string[]>();
    for (const [id, ofDevice] of needs)
      for (const { deviceId } of ofDevice) {
        const known = dependents.get(deviceId);
        if (known) known.push(id);
        else dependents.set(deviceId, [id]);
      }
    return (this.#known = { needs, dependents });
  }
}

/** Nobody can write a circle down. If there is one all the same, those in it need what they themselves name, or nothing. */
function withoutCircles(directory: Directory): Map<string, readonly Need[]> {
  const all = needsOfAll(directory.devices, directory.clusters);
  for (let circle = findCircle(all); circle; circle = findCircle(all))
    for (const id of circle) {
      const own = directory.devices.byId(id)?.needs ?? NOTHING;
      if (own.length > 0 && own.length < (all.get(id)?.length ?? 0)) all.set(id, own);
      else all.delete(id);
    }
  return all;
}

function changesNeeds(change: DirectoryChange): boolean {
  const { type, before, after } = change;
  if (type === "agent") return false;
  const needsAny = (before?.needs.length ?? 0) + (after?.needs.length ?? 0) > 0;
  return needsAny || (type === "device" && before?.clusterId !== after?.clusterId);
}
