import { BlockList, isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { localAddresses } from "../wake/networks.rules.ts";

/** Networks come and go with cables; asking the system costs a little. Milliseconds. */
const STANDS_MS = 5_000;

/** Which addresses are on the networks that this machine itself is on, so that it can ask for their MAC addresses. */
export class OwnNetworks {
  #networks = new BlockList();
  #own = new Set<string>();
  #readMs = -Infinity;

  /** Never its own addresses: those are answered within. */
  holds(address: string): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#readMs > STANDS_MS) this.#read(nowMs);
    return !this.#own.has(address) && this.#networks.check(address, isIPv4(address) ? "ipv4" : "ipv6");
  }

  #read(nowMs: number): void {
    this.#readMs = nowMs;
    this.#networks = new BlockList();
    this.#own = new Set();
    for (const { address, prefix, family, mac, internal } of localAddresses(networkInterfaces(), process.platform)) {
      this.#own.add(address);
      if (!internal && mac !== null) this.#networks.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
    }
  }
}
