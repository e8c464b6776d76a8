import {
  type CST,
  Composer,
  type Document,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  visit,
} from "yaml";

/** However often aliases lead to the same: so many nodes are looked at for each character, and no more. */
const STEPS_PER_CHARACTER = 2;
const FREE_STEPS = 10_000;
/** So deep no configuration is. The library goes down by itself, and where the stack ends a process may end, too. */
const MAX_DEPTH = 100;
/** `<<` may lead to a mapping that has one, too. */
const MAX_MERGES = 8;

/**
 * A YAML text of somebody else's, as a tree whose nodes know their lines. Every scalar is text: a MAC address of digits is
 * no number here, and `on` no claim.
 *
 * Nothing is expanded: an alias leads to its node when somebody goes there, so a small text stays small.
 */
export class YamlTree {
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #anchors = new Map<string, Node>();
  readonly #maxSteps: number;
  readonly #isDeep: boolean;
  #steps = 0;

  constructor(text: string) {
    this.#maxSteps = FREE_STEPS + STEPS_PER_CHARACTER * text.length;
    const tokens = [...new Parser(this.#lines.addNewLine).parse(text)];
    this.#isDeep = isDeeper(tokens, MAX_DEPTH);
    this.#document = firstDocument(this.#isDeep ? [] : tokens, text.length);
    visit(this.#document, {
      Node: (_key, node) => {
        if (!isAlias(node) && node.anchor !== undefined) this.#anchors.set(node.anchor, node);
      },
    });
  }

  get root(): Node | undefined {
    return this.#at(this.#document.contents);
  }

  /** The first thing that is wrong with the text. */
  get problem(): { readonly line: number; readonly message: string } | undefined {
    if (this.#isDeep) return { line: 1, message: `it is nested deeper than ${MAX_DEPTH} levels` };
    const [error] = this.#document.errors;
    return error && { line: this.#lines.linePos(error.pos[0]).line, message: error.message };
  }

  /** Whether there was more to look at than anybody writes by hand. */
  get isExhausted(): boolean {
    return this.#steps > this.#maxSteps;
  }

  lineOf(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }

  /** The entries of a list; of anything else it is the only one. */
  entriesOf(node: Node | undefined): Node[] {
    if (!isSeq(node)) return node ? [node] : [];
    return node.items.flatMap((item) => this.#at(item) ?? []);
  }

  /** What a mapping holds, with what it takes over by `<<`. */
  pairsOf(node: Node | undefined, merges = 0): { readonly key: string; readonly value: Node }[] {
    if (!isMap(node)) return [];
    return node.items.flatMap((pair: Pair) => {
      const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
      const value = this.#at(pair.value);
      if (key === undefined || !value) return [];
      if (key !== "<<" || merges >= MAX_MERGES) return [{ key, value }];
      return this.entriesOf(value).flatMap((merged) => this.pairsOf(merged, merges + 1));
    });
  }

  /** The value of the first of these keys that is there; what stands in the mapping itself goes before what it took over. */
  valueOf(node: Node | undefined, ...keys: readonly string[]): Node | undefined {
    const pairs = this.pairsOf(node);
    const own = isMap(node) ? node.items.map((pair) => this.#at(pair.value)) : [];
    const fitting = keys.flatMap((key) => pairs.filter((pair) => pair.key === key));
    return (fitting.find(({ value }) => own.includes(value)) ?? fitting[0])?.value;
  }

  #at(node: unknown): Node | undefined {
    this.#steps++;
    if (this.isExhausted || !isNode(node)) return undefined;
    return isAlias(node) ? this.#anchors.get(node.source) : node;
  }
}

function firstDocument(tokens: Iterable<CST.Token>, end: number): Document.Parsed {
  const options = {
    schema: "failsafe",
    logLevel: "silent",
    prettyErrors: false,
    uniqueKeys: false, // it compares each with each
    strict: false,
  } as const;
  const [document] = new Composer(options).compose(tokens, true, end);
  if (!document) throw new Error("the library made no document");
  return document;
}

/** Level by level, without going down by calls. */
function isDeeper(tokens: readonly CST.Token[], maxDepth: number): boolean {
  let level = tokens;
  for (let depth = 0; depth <= maxDepth; depth++) level = level.flatMap(within);
  return level.length > 0;
}

function within(token: CST.Token): CST.Token[] {
  if (token.type === "document") return token.value ? [token.value] : [];
  if (!("items" in token)) return [];
  return token.items.flatMap(({ key, value }) => [key ?? [], value ?? []].flat());
}

/** The text of a scalar; undefined for anything else, and for one that stands elsewhere (`!secret mac_of_nas`). */
export function textAt(node: Node | undefined): string | undefined {
  return isScalar(node) && elsewhere(node) === undefined ? String(node.value) : undefined;
}

/** `!secret mac_of_nas`: what Home Assistant puts in there is not in this text. */
export function elsewhere(node: Node | undefined): string | undefined {
  const tag = node?.tag;
  if (!tag?.startsWith("!")) return undefined;
  return `${tag} ${isScalar(node) ? String(node.value) : ""}`.trim();
}
