import { startAgent } from "../../agent/agent.ts";
import { readCredential } from "../../agent/credential.ts";
import { createLog } from "../../agent/log.ts";
import { simulatedPower } from "../../agent/fixtures/simulated-power.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";

/** The agent on a simulated machine. What it is told to do with the machine it tells its parent. */

const [stateDir = "", mac = "", inhibitors = "[]"] = process.argv.slice(2);
const credential = await readCredential(stateDir);
if (!credential) throw new Error(`nobody has joined with ${stateDir}`);

const power = simulatedPower({
  macs: [mac],
  users: 0,
  goDown: (action: PowerOffAction) => {
    process.send?.(action);
  },
});
power.held = JSON.parse(inhibitors) as string[];

const agent = await startAgent({
  credential,
  stateDir,
  log: createLog({ level: "error", stream: process.stderr }),
  power,
});

process.on("SIGTERM", () => {
  void agent.close().finally(() => process.exit());
});
process.on("disconnect", () => process.exit());
