/**
 * What a person changed: the fields of `next` that differ from `before`, compared by value. A form sends nothing else, so it
 * never undoes what somebody else changed meanwhile.
 */
export function changesOf<Fields extends object>(before: Fields, next: Fields): Partial<Fields> {
  const names = Object.keys(next) as (keyof Fields)[];
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(next[name]));
  return Object.fromEntries(changed.map((name) => [name, next[name]])) as Partial<Fields>;
}
