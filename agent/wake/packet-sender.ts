import { createSocket, type Socket } from "node:dgram";
import type { Route } from "./routes.rules.ts";

/** Sockets stay open for the next wake, so that its first packet leaves at once; after this much quiet they are closed. */
const IDLE_MS = 60_000;

interface Door {
  readonly socket: Socket;
  readonly open: Promise<void>;
  isOpen: boolean;
  usedMs: number;
}

/** Sends single UDP packets, each by its own route. One socket per local address, kept for a while. */
export class PacketSender {
  readonly #doors = new Map<string, Door>();
  readonly #sweep: NodeJS.Timeout;

  constructor() {
    this.#sweep = setInterval(() => this.#closeIdle(performance.now()), IDLE_MS).unref();
  }

  /** Resolves with null once the system took the packet, else with the reason why it did not. Never rejects. */
  async send(packet: Buffer, route: Route): Promise<string | null> {
    const name = `${route.family} ${route.from ?? ""}`;
    const door = this.#doors.get(name) ?? this.#openDoor(name, route);
    try {
      if (!door.isOpen) await door.open;
      door.usedMs = performance.now();
      await sendBy(door.socket, packet, route);
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const name of this.#doors.keys()) this.#closeDoor(name);
  }

  #openDoor(name: string, route: Route): Door {
    const socket = createSocket({ type: route.family === 4 ? "udp4" : "udp6" });
    const open = new Promise<void>((resolve, reject) => {
      socket.on("error", (error) => {
        this.#closeDoor(name); // an interface that went away; the next packet tries anew
        reject(error);
      });
      socket.bind({ port: 0, ...(route.from !== null && { address: route.from }) }, () => {
        if (route.family === 4) socket.setBroadcast(true);
        socket.unref();
        door.isOpen = true;
        resolve();
      });
    });
    const door: Door = { socket, open, isOpen: false, usedMs: performance.now() };
    this.#doors.set(name, door);
    return door;
  }

  #closeIdle(nowMs: number): void {
    for (const [name, door] of this.#doors) if (nowMs - door.usedMs > IDLE_MS) this.#closeDoor(name);
  }

  #closeDoor(name: string): void {
    const door = this.#doors.get(name);
    this.#doors.delete(name);
    door?.socket.close();
  }
}

function sendBy(socket: Socket, packet: Buffer, route: Route): Promise<void> {
  const address = route.zone === null ? route.to : `${route.to}%${route.zone}`;
  return new Promise((resolve, reject) => {
    socket.send(packet, route.port, address, (error) => (error ? reject(error) : resolve()));
  });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const sentence = code === undefined ? undefined : REASONS[code];
  return (sentence ?? message).slice(0, 200);
}

const REASONS: Readonly<Record<string, string>> = {
  ENETUNREACH: "network is unreachable",
  EHOSTUNREACH: "host is unreachable",
  ENETDOWN: "the interface is down",
  EADDRNOTAVAIL: "the interface no longer has this address",
  EACCES: "the system does not allow this broadcast",
  EPERM: "a firewall on the agent's machine does not allow it",
};
