import { createHash } from "node:crypto";
import type { DiscoveredThing } from "#contracts/discovery.ts";

/** What the broker has on config topics, as far as it concerns us. */
export class Shelf {
  readonly #hashes = new Map<string, string>();
  /** What a config was made of: that is less than its text, which follows from it. */
  readonly #things = new Map<string, DiscoveredThing>();

  get topics(): Iterable<string> {
    return this.#hashes.keys();
  }

  has(topic: string): boolean {
    return this.#hashes.has(topic);
  }

  hashOf(topic: string): string | undefined {
    return this.#hashes.get(topic);
  }

  /** Undefined for what this run has not made. */
  thingOf(topic: string): DiscoveredThing | undefined {
    return this.#things.get(topic);
  }

  /** The broker has it, whoever made it. */
  found(topic: string, hash: string): void {
    if (this.#hashes.get(topic) === hash) return;
    this.#hashes.set(topic, hash);
    this.#things.delete(topic);
  }

  /** The broker has it, and this run made it, or would make the same. */
  put(topic: string, hash: string, thing: DiscoveredThing): void {
    this.#hashes.set(topic, hash);
    this.#things.set(topic, thing);
  }

  delete(topic: string): void {
    this.#hashes.delete(topic);
    this.#things.delete(topic);
  }

  clear(): void {
    this.#hashes.clear();
    this.#things.clear();
  }
}

export function hashOf(payload: string | Buffer): string {
  return createHash("sha256").update(payload).digest("base64url");
}
