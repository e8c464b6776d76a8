import { startAgent } from "../../agent/agent.ts";
import { readCredential } from "../../agent/credential.ts";
import { createLog } from "../../agent/log.ts";
import { simulatedPower } from "./simulated-power.ts";

/** The agent on a simulated machine. What it is told to do with the machine it tells its parent. */

const [stateDir = "", mac = "", inhibitors = "[]"] = process.argv.slice(2);
const credential = await readCredential(stateDir);
if (!credential) throw new Error(`nobody has joined with ${stateDir}`);

const agent = await startAgent({
  credential,
  stateDir,
  log: createLog({ level: "error", stream: process.stderr }),
  power: simulatedPower({
    macs: [mac],
    inhibitors: () => JSON.parse(inhibitors) as string[],
    goDown: (action) => process.send?.(action),
  }),
});

process.on("SIGTERM", () => {
  void agent.close().finally(() => process.exit());
});
process.on("disconnect", () => process.exit());
