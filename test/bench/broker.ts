import { startChild } from "./child.ts";
import type { Cleanup } from "./cleanup.ts";
import { heartbeatPayload } from "./heartbeat-payload.ts";
import type { LoadClient, LoadNews, PublishTask, SubscribeTask } from "./load.ts";
import { mosquittoVersion, startMosquitto } from "./mosquitto.ts";
import type { Part } from "./part.ts";
import { cpuMs } from "./process-figures.ts";
import { median } from "./statistics.ts";

/** One way that messages flow: who publishes, who reads. */
interface Shape {
  readonly name: string;
  readonly publishers: number;
  readonly subscribers: number;
  readonly topic: "status" | "heartbeat";
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Messages of each publisher; a multiple of 100. */
  readonly each: number;
}

const SHAPES: readonly Shape[] = [
  { name: "1-to-1.qos1", publishers: 1, subscribers: 1, topic: "status", qos: 1, retain: false, each: 300_000 },
  { name: "100-to-1.qos1", publishers: 100, subscribers: 1, topic: "heartbeat", qos: 1, retain: true, each: 3_000 },
  { name: "1-to-1000.qos0", publishers: 1, subscribers: 1_000, topic: "heartbeat", qos: 0, retain: false, each: 1_000 },
];

interface Cost {
  /** Messages delivered. */
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

interface RunningBroker {
  readonly pid: number;
  readonly port: number;
}

/** The embedded broker, access rules on, beside Mosquitto without any: messages for each second of its CPU time. */
export const brokerPart: Part = async ({ report, cleanup, quick }) => {
  const version = mosquittoVersion();
  if (version === null) {
    report.note("broker: SKIPPED, there is no Mosquitto on this machine to compare with (apt-get install mosquitto)");
    return;
  }
  report.note(`broker: beside Mosquitto ${version}`);
  for (const shape of SHAPES) {
    const each = quick ? Math.max(100, shape.each / 10) : shape.each;
    const ours: Cost[] = [];
    const theirs: Cost[] = [];
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      theirs.push(await costOf({ ...shape, each }, await startMosquitto(cleanup), cleanup));
      ours.push(await costOf({ ...shape, each }, await startOurs(cleanup), cleanup));
      await cleanup.run();
    }
    const name = `broker.${shape.name}`;
    const of = (costs: Cost[], pick: (cost: Cost) => number) => median(costs.map(pick));
    const figures = (pick: (cost: Cost) => number) => ({ value: of(ours, pick), floor: of(theirs, pick) });
    report.add({
      name: `${name}.per-cpu-second`,
      unit: "/CPU s",
      ...figures((cost) => cost.perCpuSecond),
      ratio: { atLeast: 1 },
    });
    report.add({ name: `${name}.per-second`, unit: "/s", ...figures((cost) => cost.perSecond) });
  }
};

async function startOurs(cleanup: Cleanup): Promise<RunningBroker> {
  const child = startChild<{ type: "listening"; port: number }>("broker-process.ts", {}, cleanup);
  const { port } = await child.next("listening");
  return { pid: child.pid, port };
}

async function costOf(shape: Shape, { pid, port }: RunningBroker, cleanup: Cleanup): Promise<Cost> {
  const { publishers, subscribers, qos, retain, each } = shape;
  const messages = publishers * each * subscribers;
  const filter = `powerbeacon/agent/${publishers === 1 ? "agent-0" : "+"}/${shape.topic}`;
  const readers = clients(subscribers, "reader", () => "");
  const reading: SubscribeTask = { role: "subscribe", port, clients: readers, filter, qos, expected: messages };
  const reader = startChild<LoadNews>("load.ts", reading, cleanup);
  await reader.next("ready");
  const agents = clients(publishers, "agent", (name) => `powerbeacon/agent/${name}/${shape.topic}`);
  const payload = shape.topic === "status" ? "online" : heartbeatPayload(1);
  const writing: PublishTask = { role: "publish", port, clients: agents, payload, each, qos, retain };
  const writer = startChild<LoadNews>("load.ts", writing, cleanup);
  await writer.next("ready");

  const done = reader.next("done");
  const cpuBefore = cpuMs(pid);
  const startedMs = performance.now();
  writer.send({});
  await done;
  const seconds = (performance.now() - startedMs) / 1_000;
  const cpuSeconds = (cpuMs(pid) - cpuBefore) / 1_000;
  await reader.kill();
  await writer.kill();
  return { perSecond: messages / seconds, perCpuSecond: messages / cpuSeconds };
}

function clients(count: number, kind: string, topicOf: (name: string) => string): LoadClient[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `${kind}-${index}`;
    return { clientId: name, username: name, password: name, topic: topicOf(name) };
  });
}
