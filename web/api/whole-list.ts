import { call } from "./call.ts";

const PART = 200;

interface Part<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** Every item of a list, part by part. */
export async function wholeList<Item>(path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const part: Part<Item> = await call("GET", `${path}?limit=${PART}${from}`);
    items.push(...part.items);
    cursor = part.next;
  }
  return items;
}
