import { once } from "node:events";
import net from "node:net";
import { generate } from "mqtt-packet";

/** Types of MQTT packets, as the upper half of their first byte. MQTT 3.1.1 §2.2.1 */
const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBACK = 9;

export interface RawClientOptions {
  readonly port: number;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** Seconds; 0 for none. */
  readonly keepalive?: number;
}

/**
 * An MQTT 3.1.1 client that does next to nothing for each message, so that thousands fit in one process and a
 * benchmark measures the broker, not its own clients.
 */
export class RawClient {
  readonly socket: net.Socket;
  /** What is left of a packet whose end has not come yet. */
  #rest: Buffer | null = null;
  #acknowledgements: Buffer[] = [];
  #onAnswer = new Map<number, () => void>();
  /** The payload is a view of what was read and is good until the handler returns. */
  onPublish: (payload: Buffer) => void = () => {};
  onPuback: () => void = () => {};

  constructor(port: number) {
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (chunk) => this.#read(chunk));
    this.socket.on("error", () => {}); // its close tells
  }

  async connect({ clientId, username, password, keepalive = 0 }: RawClientOptions): Promise<void> {
    await once(this.socket, "connect");
    const answered = this.#answer(CONNACK);
    const credentials = username === undefined ? {} : { username, password: Buffer.from(password ?? "") };
    this.socket.write(
      generate({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: true,
        clientId,
        keepalive,
        ...credentials,
      }),
    );
    await answered;
  }

  async subscribe(filters: readonly string[], qos: 0 | 1): Promise<void> {
    const answered = this.#answer(SUBACK);
    this.socket.write(
      generate({ cmd: "subscribe", messageId: 1, subscriptions: filters.map((topic) => ({ topic, qos })) }),
    );
    await answered;
  }

  /** Resolves with the next packet of this type; rejects when the connection ends first. */
  async #answer(type: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const gone = () => reject(new Error("the broker closed the connection"));
      this.socket.once("close", gone);
      this.#onAnswer.set(type, () => {
        this.socket.removeListener("close", gone);
        resolve();
      });
    });
  }

  #read(chunk: Buffer): void {
    const data = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const size = packetSize(data, at);
      if (size === null || at + size.total > data.length) break;
      this.#take(data, at, size);
      at += size.total;
    }
    this.#rest = at === data.length ? null : data.subarray(at);
    if (this.#acknowledgements.length > 0) this.socket.write(Buffer.concat(this.#acknowledgements.splice(0)));
  }

  #take(data: Buffer, at: number, { header, total }: { header: number; total: number }): void {
    const first = data[at] ?? 0;
    const type = first >> 4;
    if (type === PUBLISH) {
      const qos = (first >> 1) & 3;
      const idAt = at + header + 2 + data.readUInt16BE(at + header);
      if (qos === 1) this.#acknowledgements.push(Buffer.from([PUBACK << 4, 2, data[idAt] ?? 0, data[idAt + 1] ?? 0]));
      this.onPublish(data.subarray(idAt + (qos === 1 ? 2 : 0), at + total));
    } else if (type === PUBACK) {
      this.onPuback();
    } else {
      this.#onAnswer.get(type)?.();
      this.#onAnswer.delete(type);
    }
  }
}

/** A client that is connected. */
export async function connectRaw(options: RawClientOptions): Promise<RawClient> {
  const client = new RawClient(options.port);
  await client.connect(options);
  return client;
}

/** A PUBLISH as bytes, always with the same packet identifier: brokers take it anew once it is acknowledged. */
export function publishPacket(topic: string, payload: string, options: { qos: 0 | 1; retain: boolean }): Buffer {
  return generate({ cmd: "publish", topic, payload, dup: false, messageId: 1, ...options });
}

/** The length of the fixed header and of the whole packet, or null while it is not known. */
function packetSize(data: Buffer, at: number): { header: number; total: number } | null {
  let length = 0;
  for (let index = 1; index <= 4; index++) {
    const byte = data[at + index];
    if (byte === undefined) return null;
    length += (byte & 0x7f) << (7 * (index - 1));
    if ((byte & 0x80) === 0) return { header: 1 + index, total: 1 + index + length };
  }
  throw new Error("a packet without a length");
}
