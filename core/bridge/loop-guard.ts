import { createHash, randomUUID } from "node:crypto";
import { BY_PROPERTY, SITE_PROPERTY, TOKEN_PROPERTY } from "../kernel/link-message.ts";

/** MQTT 5: on whatever a bridge has passed on. */
const VIA_PROPERTY = "pb-via";
/** What the embedded broker stamps; nobody else may. */
const STAMPS = new Set([BY_PROPERTY, SITE_PROPERTY, TOKEN_PROPERTY, VIA_PROPERTY]);
/** A person does not press a button as often; a loop does, without end. */
const REPEATS = 5;
const WITHIN_MS = 2_000;
const MAX_REMEMBERED = 1_000;
/** The other broker ends the connection of who sends more, or other characters, and would be sent them again. MQTT 5 §1.5.4 */
const MAX_PROPERTIES = 16;
const PLAIN = /^[^\p{Cc}\p{Cs}\p{Cn}]{0,256}$/u;

type UserProperties = Readonly<Record<string, string | string[]>>;

/**
 * Keeps what the bridge passed on from coming around: Home Assistant's broker may be joined with the hub's by another
 * bridge, or be the same one.
 */
export class LoopGuard {
  readonly #id = randomUUID();
  readonly #seen = new Map<string, { count: number; sinceMs: number }>();

  /** The user properties of a message that is passed on: its own, and the bridge's mark. */
  marked(properties: UserProperties | undefined): Record<string, string> {
    const own = Object.entries(properties ?? {}).filter(([name]) => !STAMPS.has(name));
    const single = own.map(([name, value]) => [name, Array.isArray(value) ? (value.at(-1) ?? "") : value]);
    const plain = single.filter((pair) => pair.every((text) => PLAIN.test(text ?? ""))).slice(0, MAX_PROPERTIES);
    return { ...Object.fromEntries(plain), [VIA_PROPERTY]: this.#id };
  }

  /** Whether this bridge has passed the message on before. */
  isOwn(properties: UserProperties | undefined): boolean {
    return properties !== undefined && [properties[VIA_PROPERTY]].flat().includes(this.#id);
  }

  /** Whether the same came too often in a short while: with MQTT 3.1.1 there are no marks. */
  isStorm(topic: string, payload: Buffer, nowMs: number): boolean {
    const message = createHash("sha256").update(`${topic}\0`).update(payload).digest("base64");
    const seen = this.#seen.get(message);
    if (seen && nowMs - seen.sinceMs < WITHIN_MS) return ++seen.count > REPEATS;
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.clear();
    this.#seen.set(message, { count: 1, sinceMs: nowMs });
    return false;
  }
}
