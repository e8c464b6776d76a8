import { EventEmitter, once } from "node:events";
import net from "node:net";
import { generate, type Packet, type Parser, parser as newParser } from "mqtt-packet";

/** A connection on which anything can be said, also what no client library would. */
export class RawClient {
  readonly socket: net.Socket;
  readonly packets: Packet[] = [];
  isClosed = false;
  /** Whether messages of QoS 1 are acknowledged as they come. */
  acknowledges = false;
  readonly #events = new EventEmitter();
  #parser: Parser = newParser({ protocolVersion: 4 });

  constructor(port: number) {
    this.socket = net.connect(port, "127.0.0.1");
    this.socket.on("data", (chunk) => this.#parser.parse(chunk));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#events.emit("news");
    });
    this.#parser.on("packet", (packet) => this.#take(packet));
  }

  /** Comes when there is another packet, or the end. */
  async nextEvent(signal: AbortSignal): Promise<void> {
    await once(this.#events, "news", { signal }).catch(() => {}); // whoever waits sees that it is too late
  }

  get commands(): string[] {
    return this.packets.map((packet) => packet.cmd);
  }

  send(packet: Packet | Buffer, protocolVersion = this.version): void {
    this.socket.write(Buffer.isBuffer(packet) ? packet : generate(packet, { protocolVersion }));
  }

  version: 3 | 4 | 5 = 4;

  /** Sends a CONNECT; what it is answered is the first of `packets`. */
  connect(version: 4 | 5, fields: object = {}): void {
    this.version = version;
    this.#parser = newParser({ protocolVersion: version });
    this.#parser.on("packet", (packet) => this.#take(packet));
    this.send(connectPacket(version, fields));
  }

  #take(packet: Packet): void {
    this.packets.push(packet);
    if (this.acknowledges && packet.cmd === "publish" && packet.qos === 1)
      this.send({ cmd: "puback", messageId: packet.messageId ?? 0 });
    this.#events.emit("news");
  }
}

/** A CONNECT with these fields, which may be what no packet should hold. */
export function connectPacket(version: 4 | 5, fields: object = {}): Packet {
  const packet: Packet = {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: version,
    clientId: "raw",
    clean: true,
    keepalive: 0,
    username: "ha",
    password: Buffer.from("right"),
  };
  return Object.assign(packet, fields);
}

/** The parts that packets are made of, for what no generator would write. MQTT 5 §1.5, §2.1 */
export const text = (value: string | Buffer) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};
export const packet = (header: number, ...parts: Buffer[]) => {
  const rest = Buffer.concat(parts);
  const length: number[] = [];
  let left = rest.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from([header, ...length]), rest]);
};
export const id = (number: number) => Buffer.from([number >> 8, number & 0xff]);
export const publish = (topic: string, messageId: number, qos: 0 | 1 | 2) =>
  generate({ cmd: "publish", topic, payload: "x", qos, messageId, retain: false, dup: false });
export const subscription = (topic: string, qos: 0 | 1 | 2 = 0) => ({ topic, qos, nl: false, rap: false, rh: 0 });
