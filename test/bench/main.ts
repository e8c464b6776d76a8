import { parseArgs } from "node:util";
import { Cleanup } from "./cleanup.ts";
import type { Part } from "./part.ts";
import { Report } from "./report.ts";
import { accountsPart } from "./accounts.ts";
import { brokerPart } from "./broker.ts";
import { clusterWakePart } from "./cluster-wake.ts";
import { discoveryPart } from "./discovery.ts";
import { heartbeatsPart } from "./heartbeats.ts";
import { lossPart } from "./loss.ts";
import { manyAgentsPart } from "./many-agents.ts";
import { memoryPart } from "./memory.ts";
import { startPart } from "./start.ts";
import { wakePart } from "./wake.ts";
import { watchPart } from "./watch.ts";

/**
 * Measures the product and, in the same run, the floor it is held against.
 *
 * `npm run bench` runs every part, `npm run bench -- wake heartbeats` those named; `--quick` is shorter and rougher.
 * Standard output holds one JSON line for each figure and a table at the end. A missed target is printed as missed and
 * is no failure of the benchmark: the exit code is 0.
 */
const PARTS: Readonly<Record<string, Part>> = {
  start: startPart,
  memory: memoryPart,
  wake: wakePart,
  "cluster-wake": clusterWakePart,
  broker: brokerPart,
  heartbeats: heartbeatsPart,
  accounts: accountsPart,
  discovery: discoveryPart,
  loss: lossPart,
  "many-agents": manyAgentsPart,
  watch: watchPart,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  process.stderr.write(`There is no part "${unknown[0]}". The parts are: ${Object.keys(PARTS).join(", ")}\n`);
  process.exit(2);
}

const report = new Report();
const cleanup = new Cleanup();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void cleanup.run().finally(() => process.exit(130)));

const names = positionals.length > 0 ? positionals : Object.keys(PARTS);
for (const name of names) {
  report.note(`${name} …`);
  try {
    await PARTS[name]?.({ report, cleanup, quick: values.quick });
  } catch (error) {
    report.note(`${name} could not be measured: ${(error as Error).stack ?? String(error)}`);
    process.exitCode = 1;
  } finally {
    await cleanup.run();
  }
}
report.printTable();
