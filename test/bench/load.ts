import { once } from "node:events";
import { task, tell } from "./child.ts";
import { connectRaw, publishPacket, type RawClient } from "./raw-client.ts";

/** A process that publishes as fast as it is let, or that takes messages in and counts them. */

export interface LoadClient {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** Where it publishes. */
  readonly topic: string;
}

export interface PublishTask {
  readonly role: "publish";
  readonly port: number;
  readonly clients: readonly LoadClient[];
  readonly payload: string;
  /** The payload of the very last message of each client. */
  readonly lastPayload?: string;
  /** Messages of each client. A multiple of 100. */
  readonly each: number;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

export interface SubscribeTask {
  readonly role: "subscribe";
  readonly port: number;
  readonly clients: readonly LoadClient[];
  readonly filter: string;
  readonly qos: 0 | 1;
  /** Messages of all clients together, after which it says so. */
  readonly expected: number;
}

export type LoadNews = { type: "ready" } | { type: "done" };

/** Messages in one write. With QoS 1 two such batches are under way, each with packet identifiers of its own. */
const BATCH = 50;
/** Connections that begin together: brokers take only so many that are not let in yet. */
const AT_ONCE = 32;

export async function connectAll(port: number, clients: readonly LoadClient[]): Promise<RawClient[]> {
  const connected: RawClient[] = [];
  for (let start = 0; start < clients.length; start += AT_ONCE) {
    const part = clients.slice(start, start + AT_ONCE);
    connected.push(...(await Promise.all(part.map(async (client) => connectRaw({ port, ...client })))));
  }
  return connected;
}

async function publishAll({ port, clients, payload, lastPayload, each, qos, retain }: PublishTask): Promise<void> {
  const connections = await connectAll(port, clients);
  tell({ type: "ready" });
  await once(process, "message");
  await Promise.all(
    connections.map(async (connection, index) => {
      const topic = clients[index]?.topic ?? "";
      const packet = publishPacket(topic, payload, { qos, retain });
      const batches = [0, BATCH].map((firstId) => batchOf(packet, topic, firstId));
      if (qos === 1) await publishInWindow(connection, batches, each);
      else await publishFreely(connection, batches, each);
      if (lastPayload !== undefined) connection.socket.write(publishPacket(topic, lastPayload, { qos, retain }));
    }),
  );
  tell({ type: "done" });
}

/** Many packets in one buffer, with packet identifiers that follow `firstId` (QoS 1). */
function batchOf(packet: Buffer, topic: string, firstId: number): Buffer {
  const batch = Buffer.concat(Array<Buffer>(BATCH).fill(packet));
  const isQos1 = (packet[0] ?? 0) & 0x02;
  const idAt = packet.indexOf(topic) + Buffer.byteLength(topic);
  if (isQos1) for (let n = 0; n < BATCH; n++) batch.writeUInt16BE(firstId + n + 1, n * packet.length + idAt);
  return batch;
}

async function publishFreely({ socket }: RawClient, [batch = Buffer.alloc(0)]: Buffer[], each: number): Promise<void> {
  for (let sent = 0; sent < each; sent += BATCH) if (!socket.write(batch)) await once(socket, "drain");
}

/** Writes the next batch as soon as the one before the last is acknowledged. */
async function publishInWindow(connection: RawClient, batches: Buffer[], each: number): Promise<void> {
  await new Promise<void>((resolve) => {
    let written = 0;
    let acknowledged = 0;
    const write = () => {
      connection.socket.write(batches[(written / BATCH) % 2] ?? "");
      written += BATCH;
    };
    connection.onPuback = () => {
      acknowledged++;
      if (acknowledged === each) resolve();
      else if (acknowledged % BATCH === 0 && written < each) write();
    };
    write();
    if (written < each) write();
  });
}

async function takeAll({ port, clients, filter, qos, expected }: SubscribeTask): Promise<void> {
  let taken = 0;
  const connections = await connectAll(port, clients);
  for (const connection of connections) {
    connection.onPublish = () => {
      if (++taken === expected) tell({ type: "done" });
    };
    await connection.subscribe([filter], qos);
  }
  tell({ type: "ready" });
}

const work = (await task()) as PublishTask | SubscribeTask; // as startChild was given it
await (work.role === "publish" ? publishAll(work) : takeAll(work));
