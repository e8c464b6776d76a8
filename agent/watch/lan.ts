import { FollowedNeighbours } from "./followed-neighbours.ts";
import { Mdns } from "./mdns.ts";
import { Nudger } from "./nudger.ts";
import { OwnNetworks } from "./own-networks.ts";
import { Pace } from "./pace.ts";
import { Search } from "./search.ts";

/** Each `ping` is a process: some at once, and then a few a second, or they alone would keep a small machine busy. */
const PINGS = { everyMs: 250, atOnce: 32 } as const;

/** What all looks of a watcher share, so that a thousand devices cost little more than one. */
export class Lan {
  readonly neighbours = new FollowedNeighbours();
  readonly nudger = new Nudger();
  readonly networks = new OwnNetworks();
  readonly search = new Search(this.nudger);
  readonly mdns = new Mdns();
  readonly pings = new Pace(PINGS);

  start(): void {
    this.neighbours.start();
  }

  close(): void {
    this.neighbours.close();
    this.nudger.close();
  }

  /** Whether the system itself tells all about this address by its neighbour table. */
  knows(address: string): boolean {
    return this.neighbours.isFollowing && this.networks.holds(address);
  }
}
