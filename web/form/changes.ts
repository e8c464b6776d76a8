/** Some of the fields; of a field that holds fields itself, such as `wake`, some of these. */
export type Changes<Fields> = {
  -readonly [Name in keyof Fields]?: Fields[Name] extends readonly unknown[] | null
    ? Fields[Name]
    : Fields[Name] extends object
      ? Partial<Fields[Name]>
      : Fields[Name];
};

/**
 * What a person changed: the fields of `next` that differ from `before`, compared by value. A form sends nothing else, so it
 * never undoes what somebody else changed meanwhile.
 */
export function changesOf<Fields extends object>(before: Fields, next: Fields): Changes<Fields> {
  const changes: Partial<Record<keyof Fields, unknown>> = {};
  for (const name of Object.keys(next) as (keyof Fields)[]) {
    const [was, is] = [before[name], next[name]];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    changes[name] = isFields(was) && isFields(is) ? changesOf(was, is) : is;
  }
  return changes as Changes<Fields>; // by the loop: every name with a part of its value
}

function isFields(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
