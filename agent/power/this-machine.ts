import { containerOf } from "../machine/container.rules.ts";
import { readContainerMarks } from "../machine/linux.ts";
import { LinuxPower } from "./linux.ts";
import { MacosPower } from "./macos.ts";
import type { PowerSystem } from "./power-system.ts";
import { type Run, runHere } from "./run.ts";
import { WindowsPower } from "./windows.ts";

const IN_CONTAINER =
  "The agent runs in a container, and a container cannot power off its host: run the agent on the machine itself";

/** The power of the machine that this process runs on. */
export async function thisMachine(
  run: Run = runHere,
  platform: NodeJS.Platform = process.platform,
): Promise<PowerSystem> {
  if (platform === "win32") return new WindowsPower(run);
  if (platform === "darwin") return new MacosPower(run);
  const linux = new LinuxPower(run);
  if (platform !== "linux") return powerless(linux, "The agent does not know how to power off a system of this kind");
  return (await isContainer()) ? powerless(linux, IN_CONTAINER) : linux;
}

/** A machine that cannot be taken down from here; everything else about it is as it is. */
function powerless(system: PowerSystem, problem: string): PowerSystem {
  return {
    able: async () => ({ actions: [], problem }),
    ownMacs: () => system.ownMacs(),
    inhibitors: async () => [],
    users: async () => null,
    tell: async () => {},
    arm: async () => null,
    goDown: () => Promise.reject(new Error(problem)),
  };
}

/** A system container, such as those of LXC, is a machine of its own. */
async function isContainer(): Promise<boolean> {
  if (process.env["KUBERNETES_SERVICE_HOST"] !== undefined) return true;
  return containerOf(await readContainerMarks(), []) !== null;
}
