import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "./child.ts";
import type { Cleanup } from "./cleanup.ts";
import { heartbeatPayload } from "./heartbeat-payload.ts";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import type { LoadClient, LoadNews, PublishTask, SubscribeTask } from "./load.ts";
import type { Part } from "./part.ts";
import { LIGHT_TOKEN, openPopulation } from "./population.ts";
import { cpuMs, peakResidentMiB } from "./process-figures.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = 100;
/** The sequence number of each connection's last heartbeat: once the hub shows it, everything before it was taken in. */
const LAST = 999_999;

interface Intake {
  readonly perSecond: number;
  /** CPU time of the process that takes in, for each message. Microseconds. */
  readonly cpuUs: number;
  readonly peakMiB: number;
}

/** How many heartbeats a second broker and core take in when agents send all they can, beside bare Aedes with one subscriber. */
export const heartbeatsPart: Part = async ({ report, cleanup, quick }) => {
  const each = quick ? 1_000 : 3_000;
  const hub = await startHubProcess(cleanup);
  const clients = await prepareAgents(hub);
  const floors: Intake[] = [];
  const intakes: Intake[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    floors.push(await intakeOfBareAedes(clients, each, cleanup));
    intakes.push(await intakeOfHub(hub, clients, each, cleanup));
    await hub.restart();
  }
  const of = (all: Intake[], pick: (intake: Intake) => number) => median(all.map(pick));
  const floor = of(floors, ({ perSecond }) => perSecond);
  report.add({
    name: "heartbeats.taken-in",
    value: of(intakes, ({ perSecond }) => perSecond),
    unit: "/s",
    floor,
    ratio: { atLeast: 0.7 },
  });
  const cpuFloor = of(floors, ({ cpuUs }) => cpuUs);
  report.add({ name: "heartbeats.cpu", value: of(intakes, ({ cpuUs }) => cpuUs), unit: "µs each", floor: cpuFloor });
  report.add({
    name: "heartbeats.peak-memory",
    value: of(intakes, ({ peakMiB }) => peakMiB),
    unit: "MiB",
    floor: of(floors, ({ peakMiB }) => peakMiB),
    bound: { atMost: 400 },
  });
};

async function prepareAgents(hub: HubProcess): Promise<LoadClient[]> {
  const { body } = await hub.api.post("/clusters", { name: "Home" });
  const population = await openPopulation(await hub.databaseUrl());
  const agents = await population.addAgents({ clusterId: body.id, from: 0, count: CONNECTIONS });
  await population.close();
  await hub.restart();
  return agents.map(({ id, key }) => ({
    clientId: id,
    username: id,
    password: LIGHT_TOKEN,
    topic: `powerbeacon/agent/${key}/heartbeat`,
  }));
}

async function intakeOfBareAedes(clients: readonly LoadClient[], each: number, cleanup: Cleanup): Promise<Intake> {
  const broker = startChild<{ type: "listening"; port: number }>("bare-aedes.ts", {}, cleanup);
  const { port } = await broker.next("listening");
  const reading: SubscribeTask = {
    role: "subscribe",
    port,
    clients: [{ clientId: "reader", topic: "" }],
    filter: "powerbeacon/agent/+/heartbeat",
    qos: 0,
    expected: (each + 1) * CONNECTIONS,
  };
  const reader = startChild<LoadNews>("load.ts", reading, cleanup);
  await reader.next("ready");
  const done = reader.next("done");
  const intake = await measure({ port, clients, each, pid: broker.pid, done }, cleanup);
  await reader.kill();
  await broker.kill();
  return intake;
}

async function intakeOfHub(hub: HubProcess, clients: LoadClient[], each: number, cleanup: Cleanup): Promise<Intake> {
  const done = async () => {
    const query = "/agents?limit=100";
    for (;;) {
      const { items } = (await hub.api.get(query)).body as { items: { heartbeat: { sequence: number } | null }[] };
      if (items.length === CONNECTIONS && items.every(({ heartbeat }) => heartbeat?.sequence === LAST)) return;
      await sleep(50);
    }
  };
  return measure({ port: hub.mqttPort, clients, each, pid: hub.pid, done }, cleanup);
}

interface Run {
  readonly port: number;
  readonly clients: readonly LoadClient[];
  readonly each: number;
  readonly pid: number;
  readonly done: Promise<unknown> | (() => Promise<unknown>);
}

async function measure({ port, clients, each, pid, done }: Run, cleanup: Cleanup): Promise<Intake> {
  const payload = heartbeatPayload(1);
  const lastPayload = heartbeatPayload(LAST);
  const writing: PublishTask = { role: "publish", port, clients, payload, lastPayload, each, qos: 0, retain: true };
  const writer = startChild<LoadNews>("load.ts", writing, cleanup);
  await writer.next("ready");
  const cpuBefore = cpuMs(pid);
  const startedMs = performance.now();
  writer.send({});
  const peakMiB = await peakResidentMiB(pid, typeof done === "function" ? done() : done);
  const seconds = (performance.now() - startedMs) / 1_000;
  const messages = (each + 1) * clients.length;
  await writer.kill();
  return { perSecond: messages / seconds, cpuUs: ((cpuMs(pid) - cpuBefore) * 1_000) / messages, peakMiB };
}
