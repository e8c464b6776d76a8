const CHECK_MS = 30_000;

/**
 * Ends the connections of tokens that are good for nothing any more. Whoever takes a token back ends them at once; this is for
 * those that expire, or whose account has no place in the site any more.
 */
export class TokenConnections {
  readonly #isGood: (tokenId: string) => boolean;
  readonly #disconnect: (tokenId: string) => void;
  readonly #open = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: { isGood: (tokenId: string) => boolean; disconnect: (tokenId: string) => void }) {
    this.#isGood = options.isGood;
    this.#disconnect = options.disconnect;
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
  }

  connected(tokenId: string): void {
    this.#open.set(tokenId, (this.#open.get(tokenId) ?? 0) + 1);
  }

  disconnected(tokenId: string): void {
    const left = (this.#open.get(tokenId) ?? 0) - 1;
    if (left > 0) this.#open.set(tokenId, left);
    else this.#open.delete(tokenId);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    for (const tokenId of this.#open.keys()) if (!this.#isGood(tokenId)) this.#disconnect(tokenId);
  }
}
