import { networkInterfaces } from "node:os";
import type { ReceiptTarget } from "#contracts/agent.ts";
import type { WakeOrder, WakeTarget } from "#contracts/order.ts";
import { sendBurst } from "./burst.ts";
import { type LocalAddress, localAddresses } from "./networks.rules.ts";
import { Pacer } from "./pacer.ts";
import { NeighbourPins } from "./neighbour-pins.ts";
import { PacketSender } from "./packet-sender.ts";
import { pinsFor } from "./pins.rules.ts";
import { refusedTarget } from "./receipt.rules.ts";

/** Interfaces change seldom; looking them up once a packet would be slow. */
const INTERFACES_GOOD_FOR_MS = 2_000;
/** About a second's worth of bursts; a hub that sends more than this is told so. */
const MAX_BACKLOG = 6_000;

/** Sends magic packets for this agent. All orders share its sockets and its pace. */
export class Waker {
  readonly #sender = new PacketSender();
  readonly #pacer = new Pacer();
  readonly #pins = new NeighbourPins();
  #local: readonly LocalAddress[] = [];
  #localReadMs = -INTERFACES_GOOD_FOR_MS;

  /** Sends to all these targets, interleaved, and tells of each what became of it. The first packet leaves at once. */
  async wake(targets: readonly WakeTarget[], burst: WakeOrder["burst"]): Promise<ReceiptTarget[]> {
    if (this.#pacer.backlog > MAX_BACKLOG) return targets.map((target) => refusedTarget(target, "BUSY"));
    const local = this.#interfaces(performance.now());
    const pins = pinsFor(targets, local);
    const pinned = pins.length > 0 ? this.#pins.pin(pins) : undefined;
    const parts = { sender: this.#sender, pacer: this.#pacer, local, pinned };
    const done = await Promise.all(targets.map((target) => sendBurst(target, burst, parts)));
    await (
      await pinned
    )?.();
    return done;
  }

  close(): void {
    this.#sender.close();
  }

  #interfaces(nowMs: number): readonly LocalAddress[] {
    if (nowMs - this.#localReadMs >= INTERFACES_GOOD_FOR_MS) {
      this.#local = localAddresses(networkInterfaces(), process.platform);
      this.#localReadMs = nowMs;
    }
    return this.#local;
  }
}
