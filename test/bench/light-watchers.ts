import { decodeJwt } from "jose";
import { generate } from "mqtt-packet";
import type { WatchList } from "#contracts/order.ts";
import { task, tell } from "./child.ts";
import { heartbeatPayload } from "./heartbeat-payload.ts";
import { LIGHT_TOKEN, type LightAgent } from "./population.ts";
import { publishPacket, RawClient } from "./raw-client.ts";

/**
 * Agents in one process that tell of the devices on their watch lists as real ones do: all at once at first, each one that
 * is up again every minute, and what changes. They look at nothing.
 */
export interface LightWatchersTask {
  readonly mqttPort: number;
  readonly baseTopic: string;
  readonly agents: readonly LightAgent[];
  /** So many devices of each agent change each second. */
  readonly changesPerSecond: number;
}

export type LightWatchersNews =
  | { type: "connected" }
  /** So many devices are on the lists of all agents together, and every one was told of. */
  | { type: "watching"; devices: number };

const BATCH_MS = 200;
const REFRESH_MS = 60_000;
const HEARTBEAT_MS = 30_000;
const KEEPALIVE_SECONDS = 60;

const work = (await task()) as LightWatchersTask; // as startChild was given it
const watched = new Map<string, number>();

async function connectAgent(agent: LightAgent): Promise<void> {
  const client = new RawClient(work.mqttPort);
  const topic = (name: string) => `${work.baseTopic}/agent/${agent.key}/${name}`;
  const login = { port: work.mqttPort, clientId: agent.id, username: agent.id, password: LIGHT_TOKEN };
  await client.connect({ ...login, keepalive: KEEPALIVE_SECONDS });
  let devices: string[] = [];
  const up = new Map<string, boolean>();
  let next = 0;
  let sequence = 0;
  let due = 0;

  const send = (keys: readonly string[], full: boolean) => {
    const at = new Date().toISOString();
    const sightings = keys.map((device) => {
      const isUp = up.get(device) ?? false;
      return { device, up: isUp, how: isUp ? "arp" : null, at, address: isUp ? "10.177.1.1" : null, mac: null };
    });
    client.socket.write(
      publishPacket(topic("sightings"), JSON.stringify({ at, full, sightings }), { qos: 1, retain: false }),
    );
  };
  const toldAtOnce = () => {
    for (let from = 0; from < devices.length; from += 500) send(devices.slice(from, from + 500), from === 0);
  };
  client.onPublish = (payload) => {
    if (!payload.subarray(0, 3).equals(Buffer.from("eyJ"))) return;
    const list = decodeJwt(payload.toString()) as unknown as WatchList;
    devices = list.devices.map(({ device }) => device);
    for (const [index, device] of devices.entries()) up.set(device, index % 2 === 0);
    toldAtOnce();
    watched.set(agent.key, devices.length);
    tell({ type: "watching", devices: [...watched.values()].reduce((sum, count) => sum + count, 0) });
  };
  await client.subscribe([topic("watch")], 1);
  client.socket.write(publishPacket(topic("status"), "online", { qos: 1, retain: true }));
  const beat = () =>
    client.socket.write(publishPacket(topic("heartbeat"), heartbeatPayload(++sequence), { qos: 0, retain: true }));
  setTimeout(() => setInterval(beat, HEARTBEAT_MS), Math.random() * HEARTBEAT_MS);
  setInterval(() => client.socket.write(generate({ cmd: "pingreq" })), (KEEPALIVE_SECONDS * 1_000) / 2);

  setInterval(() => {
    if (devices.length === 0) return;
    const turn = (count: number) => Array.from({ length: count }, () => devices[next++ % devices.length] ?? "");
    const again = turn(Math.ceil((devices.length * BATCH_MS) / REFRESH_MS)).filter((device) => up.get(device));
    due += (work.changesPerSecond * BATCH_MS) / 1_000;
    const changed = turn(Math.floor(due));
    due -= changed.length;
    for (const device of changed) up.set(device, !up.get(device));
    if (again.length + changed.length > 0) send([...again, ...changed], false);
  }, BATCH_MS);
}

for (const agent of work.agents) await connectAgent(agent);
tell({ type: "connected" });
