import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import type { MacAddress } from "#contracts/mac-address.ts";
import type { Log } from "../log.ts";
import { Hearing } from "./hearing.rules.ts";
import { wokenBy } from "./magic-packet.rules.ts";

/** Where magic packets go by custom. */
const PORTS = [7, 9] as const;
/** The machine's own addresses change seldom. Milliseconds. */
const ADDRESSES_GOOD_FOR_MS = 5_000;

export interface HeardPacket {
  readonly mac: MacAddress;
  readonly from: string;
  readonly port: number;
}

export interface ListenerOptions {
  readonly onPacket: (packet: HeardPacket) => void;
  readonly log: Log;
  readonly ports?: readonly number[];
  /** The addresses of this machine, whose own packets say nothing. */
  readonly ownAddresses?: () => ReadonlySet<string>;
}

/**
 * Hears the magic packets that others send on this machine's networks.
 *
 * It shares its ports with every program that shares them, too, and leaves them to one that does not: then it is deaf there.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #hearing = new Hearing();
  readonly #sockets: Socket[] = [];
  readonly #ports = new Set<number>();
  #own: ReadonlySet<string> = new Set();
  #ownReadMs = -ADDRESSES_GOOD_FOR_MS;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** The UDP ports on which it hears. */
  get ports(): readonly number[] {
    return [...this.#ports];
  }

  /** Opens what it may. Never rejects. */
  async start(): Promise<void> {
    const { ports = PORTS } = this.#options;
    await Promise.all(ports.flatMap((port) => [this.#open("udp4", port), this.#open("udp6", port)]));
    this.#options.log.debug({ ports: this.ports }, "Listening for magic packets of others");
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
    this.#ports.clear();
  }

  async #open(type: "udp4" | "udp6", port: number): Promise<void> {
    const socket = createSocket({ type, reuseAddr: true, ...(type === "udp6" && { ipv6Only: true }) });
    await new Promise<void>((resolve) => {
      socket.on("error", () => {
        // not allowed, in use by a program that shares nothing, or no IPv6 here; and an interface that goes away ends nothing
        if (!this.#sockets.includes(socket)) socket.close();
        resolve();
      });
      socket.on("message", (payload, sender) => this.#hear(payload, sender, port));
      socket.bind({ port, exclusive: true }, () => {
        socket.unref();
        this.#sockets.push(socket);
        this.#ports.add(port);
        resolve();
      });
    });
  }

  #hear(payload: Buffer, { address }: RemoteInfo, port: number): void {
    const mac = wokenBy(payload);
    if (mac === null) return;
    const nowMs = performance.now();
    const [from = address] = address.split("%"); // a link-local address comes with its interface
    if (this.#ownAddresses(nowMs).has(from) || !this.#hearing.isNew({ mac, from }, nowMs)) return;
    this.#options.onPacket({ mac, from, port });
  }

  #ownAddresses(nowMs: number): ReadonlySet<string> {
    if (nowMs - this.#ownReadMs >= ADDRESSES_GOOD_FOR_MS) {
      this.#own = (this.#options.ownAddresses ?? readOwnAddresses)();
      this.#ownReadMs = nowMs;
    }
    return this.#own;
  }
}

function readOwnAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((infos = []) => infos.map(({ address }) => address)));
}
