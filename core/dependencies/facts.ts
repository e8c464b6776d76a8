import type { Pace } from "#contracts/needs.ts";
import type { PowerState } from "#contracts/power.ts";
import type { Presence } from "../agents/presence.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import { planWake } from "../wake/wake.rules.ts";
import type { Dependencies } from "./dependencies.ts";
import { type PlanDevice, type Refusal, isUp } from "./plan.rules.ts";
import { ALL_AT_ONCE } from "./turns.ts";

export interface FactParts {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly power: PowerStates;
  readonly dependencies: Dependencies;
  /** Whether a power-off of a device is on its way to it, so that its being on does not last. */
  readonly isGoingDown: (deviceId: string) => boolean;
}

/** Each device as the plan of a wake goes by it, read once. */
export function wakeFacts(parts: FactParts, mayWake: (device: DirectoryDevice) => boolean) {
  return factsBy(parts, (device) => (mayWake(device) ? whyNotWoken(parts, device) : NOT_YOURS));
}

const NOT_YOURS: Refusal = { code: "FORBIDDEN", reason: "you may not wake it" };

function whyNotWoken({ directory, presence }: FactParts, device: DirectoryDevice): Refusal | null {
  const linked = directory.agentsFor(device);
  const itself = directory.ownAgentOf(device)?.id;
  const others = itself === undefined ? linked : linked.filter(({ id }) => id !== itself);
  const plan = planWake({
    enabled: device.enabled,
    power: "off",
    force: false,
    agents: others.map(({ id }) => ({ online: presence.isOnline(id) })),
    servesItself: others.length < linked.length,
  });
  return plan.type === "refuse" || plan.type === "fail" ? { code: plan.code, reason: plan.reason } : null;
}

/** Each device as the plan of a power-off goes by it, read once. One that is about to go down counts as going. */
export function offFacts(
  parts: FactParts,
  {
    whyNotOff,
    isGoingDown,
  }: {
    readonly whyNotOff: (device: DirectoryDevice) => Refusal | null;
    readonly isGoingDown: (deviceId: string) => boolean;
  },
) {
  const facts = factsBy(parts, whyNotOff);
  return (id: string): PlanDevice | undefined => {
    const device = facts(id);
    return device && isUp(device.power) && isGoingDown(id) ? { ...device, power: "stopping" } : device;
  };
}

/** What a device is for whoever needs it. */
export function powerFor({ power, isGoingDown }: FactParts, deviceId: string): PowerState {
  const now = power.of(deviceId).power;
  return now === "on" && isGoingDown(deviceId) ? "stopping" : now;
}

function factsBy(parts: FactParts, refusalOf: (device: DirectoryDevice) => Refusal | null) {
  const { directory, dependencies } = parts;
  const known = new Map<string, PlanDevice | undefined>();
  return (id: string): PlanDevice | undefined => {
    if (known.has(id)) return known.get(id);
    const device = directory.devices.byId(id);
    const facts = device && {
      id,
      key: device.key,
      clusterId: device.clusterId,
      needs: dependencies.needsOf(id),
      power: powerFor(parts, id),
      refusal: refusalOf(device),
    };
    known.set(id, facts);
    return facts;
  };
}

export function paceIn(directory: Directory): (clusterId: string) => Pace {
  return (clusterId) => directory.clusters.byId(clusterId)?.pace ?? ALL_AT_ONCE;
}
