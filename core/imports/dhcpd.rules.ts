import type { RawDevice, Reading } from "./found.rules.ts";
import { withWholeOctets } from "./lines.rules.ts";

/** `lease 192.168.1.20 { … }` or `host nas { … }`, with what stands between the braces. */
interface Block {
  readonly line: number;
  readonly kind: string;
  readonly name: string;
  readonly statements: string[][];
}

interface Word {
  readonly line: number;
  readonly text: string;
}

/** What counts of a lease: whose it is, and since when. */
interface Lease {
  readonly line: number;
  readonly mac: string;
  readonly address: string;
  readonly name: string | undefined;
  readonly startedAt: number;
}

/**
 * ISC dhcpd: its leases (`dhcpd.leases`) and the `host` declarations there or in `dhcpd.conf`.
 *
 * The file of leases is a log: of several leases of one MAC address the newest counts, and of two that began together the
 * later in the file. What a host declaration says of a MAC address goes before all leases of it.
 *
 * @see dhcpd.leases(5), dhcpd.conf(5)
 */
export function readDhcpd(text: string): Reading {
  const blocks = blocksOf(text);
  const hosts = blocks.flatMap((block) => (block.kind === "host" ? (fixedHost(block) ?? []) : []));
  const leases = newest(blocks.flatMap((block) => (block.kind === "lease" ? (leaseOf(block) ?? []) : [])));
  const fixed = new Set(hosts.map(({ mac }) => mac));
  const found = [...hosts, ...leases.filter(({ mac }) => !fixed.has(mac))].toSorted(
    (one, other) => one.line - other.line,
  );
  const isEmpty = found.length === 0 && text.trim() !== "";
  const notes = isEmpty ? ["There is no lease or host with a “hardware ethernet” in it."] : [];
  return { found: found.map(foundOf), notes };
}

function foundOf({ line, mac, address, name }: Omit<Lease, "startedAt">): RawDevice {
  return { line, fields: { mac, ...(address !== "" && { address }) }, suggested: { name } };
}

function newest(leases: readonly Lease[]): Lease[] {
  const byMac = new Map<string, Lease>();
  for (const lease of leases) {
    const before = byMac.get(lease.mac);
    if (!before || before.startedAt <= lease.startedAt) byMac.set(lease.mac, lease);
  }
  return [...byMac.values()];
}

function leaseOf(block: Block): Lease | undefined {
  const mac = hardwareOf(block);
  if (mac === undefined) return undefined; // abandoned, or never given to anybody
  const startedAt = instantOf(statement(block, "starts") ?? statement(block, "cltt") ?? []);
  const name = textIn(statement(block, "client-hostname")?.[0]);
  return { line: block.line, mac, address: block.name, name, startedAt };
}

function fixedHost(block: Block): Omit<Lease, "startedAt"> | undefined {
  const mac = hardwareOf(block);
  if (mac === undefined || statement(block, "deleted")) return undefined;
  const [address = ""] = statement(block, "fixed-address") ?? [];
  return { line: block.line, mac, address: address.replace(/,.*/, ""), name: textIn(block.name) };
}

function hardwareOf(block: Block): string | undefined {
  const [type, mac] = statement(block, "hardware") ?? [];
  return type === "ethernet" && mac !== undefined ? withWholeOctets(mac).toLowerCase() : undefined;
}

/** What follows this word in a statement that begins with it. */
function statement({ statements }: Block, word: string): string[] | undefined {
  return statements.find(([first]) => first === word)?.slice(1);
}

/** `6 2026/11/21 10:00:00` in UTC, with the day of the week before it, or `epoch 1795255200`. Milliseconds. */
function instantOf(words: readonly string[]): number {
  if (words[0] === "epoch") return Number(words[1]) * 1_000 || 0;
  const [, year, month, day] = /^(\d{4})\/(\d\d?)\/(\d\d?)$/.exec(words[1] ?? "") ?? [];
  const [, hour, minute, second] = /^(\d\d?):(\d\d?):(\d\d?)$/.exec(words[2] ?? "") ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) || 0;
}

/** A text between quotation marks, where `\"` and `\052` stand for one character. */
function textIn(word: string | undefined): string | undefined {
  if (!word?.startsWith('"')) return word;
  return word
    .slice(1, word.endsWith('"') && word.length > 1 ? -1 : undefined)
    .replaceAll(/\\(?:([0-7]{3})|([\s\S]))/g, (_, octal?: string, plain?: string) =>
      octal === undefined ? (plain ?? "") : String.fromCodePoint(Number.parseInt(octal, 8)),
    );
}

/** Leases and hosts, however deep they stand in groups and subnets. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const open: Block[] = [];
  let words: Word[] = [];
  for (const word of wordsOf(text)) {
    const { text: said } = word;
    if (said === "{")
      open.push({
        line: words[0]?.line ?? word.line,
        kind: words[0]?.text ?? "",
        name: words[1]?.text ?? "",
        statements: [],
      });
    else if (said === "}") blocks.push(...open.splice(-1));
    else if (said === ";") open.at(-1)?.statements.push(words.map((each) => each.text));
    else {
      words.push(word);
      continue;
    }
    words = [];
  }
  return blocks;
}

function* wordsOf(text: string): Generator<Word> {
  let line = 1;
  for (const [word] of text.matchAll(/\n|#[^\n]*|"(?:\\[\s\S]|[^"\\])*"?|[{};]|[^\s{};"#]+/g)) {
    if (word !== "\n" && !word.startsWith("#")) yield { line, text: word };
    line += word.split("\n").length - 1;
  }
}
