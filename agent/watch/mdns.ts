import { createSocket, type RemoteInfo } from "node:dgram";
import { networkInterfaces } from "node:os";
import { localAddresses } from "../wake/networks.rules.ts";
import { mdnsAddresses, mdnsQuestion } from "./mdns.rules.ts";

/** A machine that is there answers within this long, RFC 6762 §6. Milliseconds. */
const ANSWER_WITHIN_MS = 700;
const MAX_INTERFACES = 16;

/** What somebody answered for a name. */
export interface MdnsAnswer {
  readonly addresses: readonly string[];
  /** Who did; one of the addresses where the machine itself is awake, and not a sleep proxy that speaks for it. */
  readonly from: string;
}

export interface MdnsOptions {
  readonly group?: { readonly address: string; readonly port: number };
  /** From which of this machine's IPv4 addresses. */
  readonly from?: () => readonly string[];
  readonly withinMs?: number;
}

/** Asks the networks of this machine for names that end in `.local`, whatever its system's resolver can do. */
export class Mdns {
  readonly #options: Required<MdnsOptions>;

  constructor(options: MdnsOptions = {}) {
    this.#options = {
      group: { address: "224.0.0.251", port: 5353 },
      from: ownAddresses,
      withinMs: ANSWER_WITHIN_MS,
      ...options,
    };
  }

  /** The first answer; undefined when nobody has this name. Never rejects. */
  async ask(name: string): Promise<MdnsAnswer | undefined> {
    const question = mdnsQuestion(name);
    if (!question) return undefined;
    const ending = new AbortController();
    const asked = this.#options.from().map((from) => this.#askFrom(from, question, name, ending.signal));
    const answer = await Promise.any(asked).catch(() => undefined); // nobody answered
    ending.abort();
    return answer;
  }

  #askFrom(own: string, question: Buffer, name: string, signal: AbortSignal): Promise<MdnsAnswer> {
    const { group, withinMs } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = createSocket({ type: "udp4", signal });
      const end = () => {
        clearTimeout(timer);
        if (!signal.aborted) socket.close();
        signal.removeEventListener("abort", end);
        reject(new Error("no answer"));
      };
      const timer = setTimeout(end, withinMs);
      signal.addEventListener("abort", end, { once: true }); // which closes the socket, too
      socket.once("error", end); // no such address any more
      socket.on("message", (message: Buffer, { address }: RemoteInfo) => {
        const addresses = mdnsAddresses(message, name);
        if (addresses.length > 0) resolve({ addresses, from: address });
      });
      socket.bind({ address: own, port: 0 }, () => {
        socket.setMulticastInterface(own);
        socket.send(question, group.port, group.address, () => {}); // no way there: then nobody answers
      });
    });
  }
}

function ownAddresses(): string[] {
  return localAddresses(networkInterfaces(), process.platform)
    .filter(({ family, internal }) => family === 4 && !internal)
    .map(({ address }) => address)
    .slice(0, MAX_INTERFACES);
}
