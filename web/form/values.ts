/** Values as a form's fields give them. */

export function textOf(data: FormData, name: string): string {
  return typed(data, name).trim();
}

/** As it was typed, spaces included: a password. */
export function typed(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === "string" ? value : "";
}

/** An empty field clears. */
export function textOrNull(data: FormData, name: string): string | null {
  return textOf(data, name) || null;
}

/** `9, 7` → `["9", "7"]`. */
export function listOf(data: FormData, name: string): string[] {
  return textOf(data, name)
    .split(/[,\s]+/)
    .filter(Boolean);
}

/** Tags may hold spaces, so only commas part them. */
export function tagsOf(data: FormData, name: string): string[] {
  return textOf(data, name)
    .split(",")
    .map((tag) => tag.trim())
    .filter(Boolean);
}

/** Numbers; what is none goes to the hub as it was typed, and comes back with a message at its field. */
export function numbersOf(data: FormData, name: string): number[] {
  return listOf(data, name).map(numberOrText);
}

export function numberOrNull(data: FormData, name: string): number | null {
  const text = textOf(data, name);
  return text === "" ? null : numberOrText(text);
}

export function isChecked(data: FormData, name: string): boolean {
  return data.has(name);
}

export function checkedOf(data: FormData, name: string): string[] {
  return data
    .getAll(name)
    .filter((value) => typeof value === "string")
    .toSorted();
}

function numberOrText(text: string): number {
  const number = Number(text);
  return Number.isNaN(number) ? (text as unknown as number) : number; // refused by the hub, which names the field
}
