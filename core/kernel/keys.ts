import { randomInt } from "node:crypto";
import { Key, UNASSIGNED } from "#contracts/key.ts";

/**
 * The key that a name suggests: `Büro-PC 2` becomes `buero-pc-2`.
 *
 * Letters outside a–z lose their accents where they have some; a name without any usable character becomes the fallback.
 */
export function keyFromName(name: string, fallback: string): Key {
  const plain = name
    .toLowerCase()
    .normalize("NFC") // an umlaut may come as a letter with a mark behind it
    .replaceAll("ä", "ae")
    .replaceAll("ö", "oe")
    .replaceAll("ü", "ue")
    .replaceAll("ß", "ss")
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 50)
    .replaceAll(/-+$/g, "");
  return Key.parse(plain === "" || plain.startsWith(UNASSIGNED) ? fallback : plain);
}

/** The key itself when it is free, else with the first free number, `nas-2`; after many tries with a random one. */
export function freeKey(wanted: Key, isTaken: (key: string) => boolean): Key {
  if (!isTaken(wanted)) return wanted;
  for (let number = 2; number < 100; number++) {
    const key = Key.parse(`${wanted}-${number}`);
    if (!isTaken(key)) return key;
  }
  return Key.parse(`${wanted}-${randomInt(1e9, 1e10)}`);
}
