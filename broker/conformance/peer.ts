import { once } from "node:events";
import type {
  IConnackPacket,
  IDisconnectPacket,
  IPublishPacket,
  ISubackPacket,
  ISubscription,
  IUnsubackPacket,
  Packet,
} from "mqtt-packet";
import { RawClient } from "../raw-client.ts";

interface Answers {
  connack: IConnackPacket;
  suback: ISubackPacket;
  unsuback: IUnsubackPacket;
  publish: IPublishPacket;
  disconnect: IDisconnectPacket;
}

export interface PeerOptions {
  readonly username: string;
  readonly clientId: string;
  /** Whether it acknowledges what it is sent. */
  readonly acknowledges?: boolean;
  readonly fields?: object;
}

/** Longer than any answer takes under load. */
const PATIENCE_MS = 10_000;

/** A client that says exactly what it is told to, and waits for each answer. */
export class Peer {
  readonly raw: RawClient;
  readonly connack: IConnackPacket;
  #taken = new Set<Packet>();
  #lastId = 0;

  private constructor(raw: RawClient, connack: IConnackPacket) {
    this.raw = raw;
    this.connack = connack;
  }

  /** Connects and is answered, with whatever it is. */
  static async connect(port: number, version: 4 | 5, options: PeerOptions): Promise<Peer> {
    const raw = new RawClient(port);
    await once(raw.socket, "connect");
    raw.acknowledges = options.acknowledges ?? true;
    raw.connect(version, { clientId: options.clientId, username: options.username, ...options.fields });
    const connack = await untilThere(raw, () => raw.packets.find((packet) => packet.cmd === "connack"));
    return new Peer(raw, connack);
  }

  /** The next packet of a kind. */
  async take<Kind extends Packet["cmd"]>(
    cmd: Kind,
  ): Promise<Kind extends keyof Answers ? Answers[Kind] : Extract<Packet, { cmd: Kind }>> {
    const packet = await untilThere(this.raw, () =>
      this.raw.packets.find((one) => one.cmd === cmd && !this.#taken.has(one)),
    );
    this.#taken.add(packet);
    return packet as never; // it has the kind that was looked for
  }

  /** The messages that have come since the last call: what was published before is there once a ping is answered. */
  async messages(): Promise<IPublishPacket[]> {
    this.raw.send({ cmd: "pingreq" });
    await this.take("pingresp");
    const fresh = this.raw.packets.filter((one) => one.cmd === "publish" && !this.#taken.has(one)) as IPublishPacket[];
    for (const packet of fresh) this.#taken.add(packet);
    return fresh;
  }

  async payloads(): Promise<string[]> {
    return (await this.messages()).map(({ payload }) => payload.toString());
  }

  async subscribe(subscriptions: readonly (string | Partial<ISubscription>)[], properties?: object) {
    const asked = subscriptions.map((one) => ({
      qos: 1 as const,
      nl: false,
      rap: false,
      rh: 0,
      ...(typeof one === "string" ? { topic: one } : one),
    })) as ISubscription[];
    this.raw.send({
      cmd: "subscribe",
      messageId: this.#nextId(),
      subscriptions: asked,
      ...(properties && { properties }),
    });
    return await this.take("suback");
  }

  async unsubscribe(filters: string[]) {
    this.raw.send({ cmd: "unsubscribe", messageId: this.#nextId(), unsubscriptions: filters });
    return await this.take("unsuback");
  }

  /** Publishes, and waits for PUBACK or PUBREC. */
  async publish(topic: string, payload: string, fields: object = {}) {
    const packet = { qos: 1, retain: false, dup: false, messageId: this.#nextId(), ...fields } as const;
    this.raw.send({ cmd: "publish", topic, payload, ...packet });
    return packet.qos === 1 ? await this.take("puback") : await this.take("pubrec");
  }

  /** Leaves with a DISCONNECT. */
  async leave(reasonCode = 0, properties?: object): Promise<void> {
    const closed = once(this.raw.socket, "close");
    this.raw.send({ cmd: "disconnect", reasonCode, ...(properties && { properties }) });
    await closed;
  }

  /** Is gone without a word. */
  drop(): void {
    this.raw.socket.destroy();
  }

  /** True once the broker has closed the connection. */
  async isClosed(): Promise<true> {
    if (!this.raw.isClosed) await once(this.raw.socket, "close");
    return true;
  }

  #nextId(): number {
    return ++this.#lastId;
  }
}

async function untilThere<Found>(raw: RawClient, find: () => Found | undefined): Promise<Found> {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    if (raw.isClosed || deadline.aborted)
      throw new Error(`${raw.isClosed ? "closed" : "no answer"} after ${raw.commands.join(", ") || "nothing"}`);
    await raw.nextEvent(deadline);
  }
}
