import type { DirectoryDevice } from "../members/directory.ts";
import type { PowerOffService, PowerOffWish } from "../power-off/power-off.service.ts";
import type { RunningPowerOff } from "../power-off/running-power-off.ts";
import { type FactParts, offFacts, paceIn } from "./facts.ts";
import { type PlannedStep, type Refusal, isUp, neededBy, planOfOff } from "./plan.rules.ts";
import { ClusterTurns } from "./turns.ts";

export interface DownOrderOptions extends FactParts {
  readonly powerOffs: () => Pick<PowerOffService, "planFor" | "runningOf">;
}

/**
 * In what order devices go down: whoever needs one goes before it and has to be seen off, and what a device that stays on
 * needs stays on, too.
 */
export class DownOrder {
  readonly #options: DownOrderOptions;
  readonly #turns = new Map<string, ClusterTurns<RunningPowerOff>>();

  constructor(options: DownOrderOptions) {
    this.#options = options;
    options.directory.onChange((change) => {
      if (change.type === "cluster" && !change.after) this.#turns.delete(change.before?.id ?? "");
    });
  }

  /** What powering these devices off would do, step by step. */
  plan(
    wishes: readonly PowerOffWish[],
    force: boolean,
    whyNot: (device: DirectoryDevice) => Refusal | null = () => null,
  ): PlannedStep[] {
    const { dependencies, directory, powerOffs } = this.#options;
    const actions = new Map(wishes.map(({ device, action }) => [device.id, action]));
    const whyNotOff = (device: DirectoryDevice) => {
      const action = actions.get(device.id);
      const plan = action && powerOffs().planFor({ device, action }, { force, neededBy: null });
      return plan?.type === "refuse" ? { code: plan.code, reason: plan.reason } : null;
    };
    const facts = offFacts(this.#options, {
      whyNotOff: (device) => whyNot(device) ?? whyNotOff(device),
      isGoingDown: (id) => powerOffs().runningOf(id) !== undefined,
    });
    const dependentsOf = (id: string) => dependencies.dependentsOf(id);
    return planOfOff([...actions.keys()], facts, { force, paceOf: paceIn(directory), dependentsOf });
  }

  /** Why some of these may not go down though the others do, in a sentence, by their ids. */
  whyNotDown(wishes: readonly PowerOffWish[]): Map<string, string> {
    const { dependencies } = this.#options;
    const reasons = new Map<string, string>();
    if (wishes.every(({ device }) => dependencies.dependentsOf(device.id).length === 0)) return reasons;
    for (const { device, refusal } of this.plan(wishes, false))
      if (refusal?.code === "NEEDED_BY") reasons.set(device.id, refusal.reason);
    return reasons;
  }

  /** Whether a power-off has to wait for others, or for its turn in its cluster; or why it comes to nothing. */
  hasToWait(powerOff: RunningPowerOff): boolean | Refusal {
    const { directory, dependencies, power, powerOffs } = this.#options;
    const device = directory.devices.byId(powerOff.deviceId);
    if (!device) return false;
    const standing = dependencies.of(device.id).filter(({ id }) => isUp(power.of(id).power));
    const isGoing = ({ id }: DirectoryDevice) =>
      power.of(id).power === "stopping" || powerOffs().runningOf(id) !== undefined;
    const staying = powerOff.force ? [] : standing.filter((dependent) => !isGoing(dependent));
    if (staying.length > 0) return neededBy(staying);
    if (standing.some(isGoing)) return true;
    let turns = this.#turns.get(device.clusterId);
    if (!turns) this.#turns.set(device.clusterId, (turns = new ClusterTurns()));
    return !turns.take(powerOff, directory.clusterOf(device).pace, performance.now());
  }
}
