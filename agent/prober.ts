import type { ProbeReceipt } from "#contracts/agent.ts";
import type { ProbeOrder } from "#contracts/order.ts";
import { type LookTools, lookAt } from "./watch/look.ts";
import { Names } from "./watch/names.ts";
import { NeighbourTable } from "./watch/neighbour-table.ts";
import { Turns } from "./watch/turns.ts";

/** Probes come while a cluster is being woken; more at once would not end sooner on a small machine. */
const AT_ONCE = 8;
/** Those that wait; whoever ordered more has to ask again. */
const MAX_WAITING = 200;

type Probed = Omit<ProbeReceipt, "at">;

/** Looks whether services accept connections, when the hub asks. */
export class Prober {
  readonly #tools: LookTools = { names: new Names(), neighbours: new NeighbourTable(), turns: new Turns(AT_ONCE) };
  #waiting = 0;

  /** Where the device should be, else where the neighbour table has its MAC address; another machine there does not count. Never rejects. */
  async probe(order: ProbeOrder): Promise<Probed> {
    if (this.#waiting >= MAX_WAITING) return told(order, false, "This agent has too many probes to make");
    this.#waiting += 1;
    try {
      const { device, mac, address, tcpPort } = order;
      const watched = { device, mac, address, tcpPorts: [tcpPort], icmp: false, arp: false, intervalSeconds: 1 };
      const look = await lookAt(watched, this.#tools, { urgent: true });
      if (look.type === "seen") return told(order, true, null);
      return told(
        order,
        false,
        look.type === "blind" ? "This agent does not know where it is" : "Nothing accepts there",
      );
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#tools.names.keepOnly(new Set()); // the next probe may be next month
    }
  }
}

function told({ id, device, tcpPort }: ProbeOrder, open: boolean, reason: string | null): Probed {
  return { order: id, probe: { device, tcpPort, open, reason } };
}
