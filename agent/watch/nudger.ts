import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

/** The discard port, RFC 863: a datagram to it disturbs nobody. */
const DISCARD_PORT = 9;
const ONE_BYTE = Buffer.alloc(1);

/** Makes the system ask for a MAC address, by sending something there. From one socket, however many are asked for. */
export class Nudger {
  readonly #sockets = new Map<"udp4" | "udp6", Socket>();

  /** Fails silently: where there is no way, nothing will be in the neighbour table either. */
  nudge(address: string): void {
    const family = isIPv6(address) ? "udp6" : "udp4";
    this.#socketFor(family).send(ONE_BYTE, DISCARD_PORT, address, () => {});
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #socketFor(type: "udp4" | "udp6"): Socket {
    const known = this.#sockets.get(type);
    if (known) return known;
    const socket = createSocket({
      type,
      // addresses only: there is nothing to look up
      lookup: (address, _options, done) => done(null, address, type === "udp6" ? 6 : 4),
    });
    socket.on("error", () => {}); // said to the sender, who does not care
    socket.unref();
    this.#sockets.set(type, socket);
    return socket;
  }
}
