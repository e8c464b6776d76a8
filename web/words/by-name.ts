const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** As a person sorts: `PC 2` before `PC 10`. */
export function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return collator.compare(one.name, other.name);
}
