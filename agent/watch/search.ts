import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { localAddresses } from "../wake/networks.rules.ts";
import type { Nudger } from "./nudger.ts";
import { addressesToSearch, isSearchDue } from "./search.rules.ts";

/** The system asks for so many MAC addresses at a time, so that a small switch is not flooded. */
const SLICE = 32;
const SLICE_MS = 20;

/** Has the system ask every address nearby who is there: a machine that got another address is found by its MAC address then. */
export class Search {
  readonly #nudger: Nudger;
  #searchedMs = -Infinity;

  constructor(nudger: Nudger) {
    this.#nudger = nudger;
  }

  /** One search serves all who wait; what is found comes as news of the neighbour table. */
  async for(near: string | null, options: { readonly urgent: boolean }): Promise<void> {
    const nowMs = performance.now();
    if (!isSearchDue(nowMs - this.#searchedMs, options)) return;
    this.#searchedMs = nowMs;
    const addresses = addressesToSearch(localAddresses(networkInterfaces(), process.platform), near);
    for (let at = 0; at < addresses.length; at += SLICE) {
      for (const address of addresses.slice(at, at + SLICE)) this.#nudger.nudge(address);
      await sleep(SLICE_MS, undefined, { ref: false });
    }
  }
}
