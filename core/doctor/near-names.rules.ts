/** Names beside the one that was asked for; more would be a list to read. */
const MAX_NEAR = 5;

/** Those that a person may have meant: what begins or ends alike, or differs by a slip or two. The nearest come first. */
export function nearNames(asked: string, names: Iterable<string>): string[] {
  const slips = Math.min(2, Math.floor(asked.length / 3));
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const name of names) {
    if (Math.abs(name.length - asked.length) > slips && !name.includes(asked) && !asked.includes(name)) continue;
    const distance = editsBetween(asked, name);
    const isPart = name.includes(asked) || (name.length >= 3 && asked.includes(name));
    if (isPart || distance <= slips) near.push({ name, distance });
  }
  const nearest = near.toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return nearest.slice(0, MAX_NEAR).map(({ name }) => name);
}

/** How many letters have to be put in, taken out, changed, or swapped with the next (optimal string alignment). */
function editsBetween(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 0; i < one.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++) {
      const change = (row[j] ?? 0) + (one[i] === other[j] ? 0 : 1);
      const isSwap = i > 0 && j > 0 && one[i] === other[j - 1] && one[i - 1] === other[j];
      const swap = isSwap ? (before[j - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(change, swap, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[other.length] ?? 0;
}
