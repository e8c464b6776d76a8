import type { PlanStep, PowerPlan } from "#contracts/api/plans.ts";
import type { FindingNote } from "#contracts/finding.ts";
import { Key } from "#contracts/key.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import type { PowerOffService } from "../power-off/power-off.service.ts";
import type { WakeAim } from "../wake/wake-orders.ts";
import type { DownOrder } from "./down-order.ts";
import { type FactParts, paceIn, wakeFacts } from "./facts.ts";
import { type PlannedStep, type Refusal, planOfWake } from "./plan.rules.ts";
import { ALL_AT_ONCE } from "./turns.ts";

export interface PlanParts extends FactParts {
  readonly downOrder: DownOrder;
  readonly powerOffs: Pick<PowerOffService, "planFor">;
  readonly wakes: { firstAim(device: DirectoryDevice): WakeAim };
  readonly recipes: { of(deviceId: string): { readonly typicalSeconds: number | null } };
  /** What the doctor would say of a device. */
  readonly findingsOf: (device: DirectoryDevice) => readonly FindingNote[];
}

/** What somebody thinks of doing. */
export interface Intent {
  readonly action: PowerPlan["action"];
  readonly force: boolean;
  readonly may: (device: DirectoryDevice) => boolean;
  readonly seesAgents: boolean;
}

const NOT_YOURS = {
  wake: { code: "FORBIDDEN", reason: "You may not wake this device" },
  off: { code: "FORBIDDEN", reason: "You may not power this device off" },
} as const satisfies Record<PowerPlan["action"], Refusal>;

/** What orders say where a device names no addresses of its own. */
const EVERY_BROADCAST = ["directed", "limited", "all-nodes"] as const;

/** Tells what a wake or a power-off would do, by the rules that carry it out. Nothing is sent. */
export class Plans {
  readonly #parts: PlanParts;

  constructor(parts: PlanParts) {
    this.#parts = parts;
  }

  /** @param devices of one site, and of one cluster where they are several. */
  of(devices: readonly DirectoryDevice[], intent: Intent): PowerPlan {
    const steps = intent.action === "wake" ? this.#wakeSteps(devices, intent) : this.#offSteps(devices, intent);
    const [first] = devices;
    const pace = first && devices.length > 1 ? paceIn(this.#parts.directory)(first.clusterId) : ALL_AT_ONCE;
    return { action: intent.action, steps, ...pace };
  }

  #wakeSteps(devices: readonly DirectoryDevice[], { force, may, seesAgents }: Intent): PlanStep[] {
    const facts = wakeFacts(this.#parts, may);
    const paceOf = paceIn(this.#parts.directory);
    const steps = planOfWake(
      devices.map(({ id }) => id),
      facts,
      { force, paceOf },
    );
    return this.#told(steps, "wake", (device) => {
      const aim = this.#parts.wakes.firstAim(device);
      return {
        agents: seesAgents ? aim.agents.map(({ key }) => Key.parse(key)) : [],
        destinations: destinationsOf(device, aim),
        typicalSeconds: this.#parts.recipes.of(device.id).typicalSeconds,
      };
    });
  }

  #offSteps(devices: readonly DirectoryDevice[], { force, may, seesAgents }: Intent): PlanStep[] {
    const { directory, downOrder, powerOffs } = this.#parts;
    const wishes = devices.map((device) => ({ device, action: device.power.off }));
    const steps = downOrder.plan(wishes, force, (device) => (may(device) ? null : NOT_YOURS.off));
    return this.#told(steps, "off", (device) => {
      const action = device.power.off;
      const plan = powerOffs.planFor({ device, action }, { force, neededBy: null });
      if (plan.type !== "run") return {};
      const own = plan.way === "agent" && seesAgents ? directory.ownAgentOf(device) : undefined;
      return { way: `${plan.way}, ${action}`, agents: own ? [Key.parse(own.key)] : [] };
    });
  }

  #told(
    steps: readonly PlannedStep[],
    action: PowerPlan["action"],
    detailsOf: (device: DirectoryDevice) => Partial<PlanStep>,
  ): PlanStep[] {
    const { directory, findingsOf } = this.#parts;
    const keyOf = (id: string) => Key.parse(directory.devices.byId(id)?.key);
    return steps.flatMap((step) => {
      const device = directory.devices.byId(step.device.id);
      if (!device) return [];
      const { asked, verdict, startsAfterMs } = step;
      const refusal =
        step.refusal?.code === "FORBIDDEN" && step.refusal === step.device.refusal ? NOT_YOURS[action] : step.refusal;
      return {
        device: Key.parse(device.key),
        deviceId: device.id,
        name: device.name,
        verdict,
        code: refusal?.code ?? null,
        reason: refusal?.reason ?? null,
        after: step.after.map(keyOf),
        startsAfterMs,
        asked,
        agents: [],
        destinations: [],
        typicalSeconds: null,
        way: null,
        ...(verdict === "go" && detailsOf(device)),
        // a machine that is up, or is to go down, is nothing for the doctor of wakes
        findings: action === "wake" && verdict !== "already" ? findingsOf(device).map(noteOf) : [],
      };
    });
  }
}

function noteOf({ code, title, advice }: FindingNote): FindingNote {
  return { code, title, advice };
}

/** Where the first magic packets of a device would go: `192.168.1.255:9`, or `directed:9` for a kind of address. */
function destinationsOf({ wake }: DirectoryDevice, { reach }: WakeAim): string[] {
  const where = wake.addresses.length > 0 ? wake.addresses : (reach ?? EVERY_BROADCAST);
  return where.flatMap((to) => wake.ports.map((port) => `${to.includes(":") ? `[${to}]` : to}:${port}`));
}
