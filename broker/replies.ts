import { generate, type Packet } from "mqtt-packet";
import type { Outbox } from "./outbox.ts";

/** Packet types of acknowledgements, as the first byte says them. MQTT 5 §2.1.2 */
export const PUBACK = 0x40;
export const PUBREC = 0x50;
export const PUBCOMP = 0x70;
const PINGRESP = Buffer.from([0xd0, 0]);

export interface ReplyOptions {
  readonly protocolVersion: 3 | 4 | 5;
  /** Bytes of the largest packet that the client takes. */
  readonly maximumPacketSize: number;
  /** Request Problem Information: whether the client wants reasons as sentences. MQTT 5 §3.1.2.11.7 */
  readonly wantsReasons: boolean;
  /** Not even the shortest form of a reply is small enough for the client. */
  readonly onTooLarge: () => void;
}

/**
 * What a client is answered. MQTT 5 tells it the reason, in a sentence too where the client wants one and has room for it.
 *
 * @see MQTT 5 §3.2.2.3.9 and the like: a Reason String that makes a packet too large is left out.
 */
export class Replies {
  readonly #outbox: Outbox;
  readonly #options: ReplyOptions;

  constructor(outbox: Outbox, options: ReplyOptions) {
    this.#outbox = outbox;
    this.#options = options;
  }

  /** PUBACK, PUBREC or PUBCOMP. MQTT 3.1.1 has no reasons: there a refused message is acknowledged, too. */
  acknowledge(type: number, id: number, reasonCode = 0, sentence: string | null = null): void {
    const { protocolVersion, wantsReasons } = this.#options;
    const isV5 = protocolVersion === 5;
    if (!isV5 || sentence === null || !wantsReasons) return this.#outbox.acknowledge(type, id, isV5 ? reasonCode : 0);
    const cmd = type === PUBACK ? "puback" : type === PUBREC ? "pubrec" : "pubcomp";
    this.send({ cmd, messageId: id, reasonCode }, sentence);
  }

  pong(): void {
    this.#outbox.write(PINGRESP);
  }

  /** @param sentence why something is refused; null where nothing is. */
  send(packet: Packet, sentence: string | null): void {
    const { protocolVersion, maximumPacketSize, wantsReasons, onTooLarge } = this.#options;
    const options = { protocolVersion };
    const short = generate(packet, options);
    if (short.length > maximumPacketSize) return onTooLarge();
    if (sentence === null || protocolVersion < 5 || !wantsReasons) return this.#outbox.write(short);
    const properties = { ...("properties" in packet ? packet.properties : {}), reasonString: sentence };
    const long = generate({ ...packet, properties } as Packet, options);
    this.#outbox.write(long.length > maximumPacketSize ? short : long);
  }
}
