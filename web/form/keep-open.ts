/** For `keydown` of a dialog that only its own buttons close: browsers close it on the second Escape, whatever is said to its `cancel`. */
export function keepOpen(event: KeyboardEvent): void {
  if (event.key === "Escape") event.preventDefault();
}
