import type { Duplex } from "node:stream";
import type { Packet } from "mqtt-packet";
import type { AedesClient } from "./aedes-insides.ts";
import { isMqttString, Reason } from "./packet-rules.ts";

export interface InletOptions {
  readonly conn: Duplex;
  readonly client: AedesClient;
  readonly packetTimeoutMs: number;
  /** Bytes of one packet, which grow once a client is let in. */
  readonly packetBytes: () => number;
  /** Where reading must wait because the hub itself is behind: calls back when it may go on. */
  readonly congestion: { readonly isHigh: boolean; wait(resume: () => void): void };
  /** False between CONNECT and the moment when its sender is let in. */
  readonly isOpen: () => boolean;
  readonly onPacket: (packet: Packet) => void;
  /** The client broke the protocol; the connection must end. */
  readonly onProblem: (reason: number, problem: string) => void;
}

/**
 * Reads packets from one connection in place of Aedes' own reader.
 *
 * It refuses what is too large at its header, before it is buffered, and text that is none; it ends a connection
 * that leaves a packet half sent; and whatever reading and handling a packet throws ends that connection alone.
 */
export class Inlet {
  readonly #options: InletOptions;
  #isStopped = false;
  #isParsing = false;
  #packets = 0;
  #packetTimer: NodeJS.Timeout | null = null;

  constructor(options: InletOptions) {
    this.#options = options;
    const { conn, client } = options;
    const parser = client._parser;
    // Aedes' reader waits for each packet's end by several turns; `_nextBatch` is how Aedes asks to read on
    conn.removeListener("readable", client._nextBatch);
    client._nextBatch = (error) => {
      if (error) client.emit("error", error);
      else this.pull();
    };
    conn.on("readable", () => this.pull());
    conn.once("close", () => this.stop());

    parser.removeAllListeners("packet");
    parser.on("packet", (packet: Packet) => {
      this.#packets++;
      if (this.#isStopped) return;
      if (parser._pos > (packet.length ?? 0)) return this.#fail(Reason.malformedPacket, "a packet that is cut off");
      options.onPacket(packet);
    });
    parser.removeAllListeners("error");
    parser.on("error", (error: Error) => this.#fail(Reason.malformedPacket, error.message));
    this.#refuseLargePackets();
    this.#refuseBadText();
  }

  /** Nothing more is read, nor handled of what was read. */
  stop(): void {
    this.#isStopped = true;
    if (this.#packetTimer) clearTimeout(this.#packetTimer);
    this.#packetTimer = null;
  }

  pull(): void {
    const { conn, client, congestion, isOpen } = this.#options;
    if (this.#isStopped || this.#isParsing || client._paused || client.closed || !isOpen()) return;
    if (congestion.isHigh) return congestion.wait(() => this.pull());
    const chunk = conn.read() as Buffer | null;
    if (chunk === null) return;
    const before = this.#packets;
    this.#isParsing = true;
    try {
      client._parser.parse(chunk);
    } catch (error) {
      this.#fail(Reason.malformedPacket, `could not be handled: ${error instanceof Error ? error.message : "unknown"}`);
    } finally {
      this.#isParsing = false;
    }
    if (this.#isStopped || client.closed) return;
    const isComplete = this.#packets > before;
    if (isComplete) client._keepaliveTimer?.refresh();
    this.#watchForEnd(isComplete);
  }

  /** A packet that has begun must end, even where the keep-alive is 0. */
  #watchForEnd(hasProgressed: boolean): void {
    const parser = this.#options.client._parser;
    const isInPacket = parser.packet.length !== -1 || parser._list.length > 0;
    if (this.#packetTimer && (hasProgressed || !isInPacket)) {
      clearTimeout(this.#packetTimer);
      this.#packetTimer = null;
    }
    if (isInPacket && !this.#packetTimer)
      this.#packetTimer = setTimeout(
        () => this.#fail(Reason.malformedPacket, "a packet was not completed in time"),
        this.#options.packetTimeoutMs,
      );
  }

  #refuseLargePackets(): void {
    const parser = this.#options.client._parser;
    const parseLength = parser._parseLength.bind(parser);
    parser._parseLength = () => {
      if (!parseLength()) return false;
      if (wireSize(parser.packet.length) <= this.#options.packetBytes()) return true;
      this.#fail(Reason.packetTooLarge, "a packet that is too large");
      return false;
    };
  }

  #refuseBadText(): void {
    const parser = this.#options.client._parser;
    const parseString = parser._parseString.bind(parser);
    parser._parseString = () => {
      const start = parser._pos + 2;
      const text = parseString();
      if (text !== null && !isMqttString(text, () => parser._list.slice(start, parser._pos)))
        parser.error ??= new Error("text that is no UTF-8 or holds U+0000");
      if (parser.error) this.#fail(Reason.malformedPacket, parser.error.message);
      return text;
    };
  }

  #fail(reason: number, problem: string): void {
    if (this.#isStopped) return;
    this.stop();
    this.#options.onProblem(reason, problem);
  }
}

/** MQTT 5 §2.1.4: the length of the rest takes one to four bytes. */
function wireSize(remaining: number): number {
  const lengthBytes = remaining < 128 ? 1 : remaining < 16_384 ? 2 : remaining < 2_097_152 ? 3 : 4;
  return 1 + lengthBytes + remaining;
}
