import type { Need, Pace } from "#contracts/needs.ts";
import type { PowerState } from "#contracts/power.ts";
import type { ErrorCode } from "../kernel/errors.ts";

/** What a plan goes by. It is what carries the plan out goes by, too. */
export interface PlanDevice {
  readonly id: string;
  readonly key: string;
  readonly clusterId: string;
  readonly needs: readonly Need[];
  readonly power: PowerState;
  /** Why it cannot be woken, or powered off, as far as it is concerned alone; null where it can. */
  readonly refusal: Refusal | null;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

export interface PlannedStep {
  readonly device: PlanDevice;
  /** False: nobody asked for it, but one that was asked for needs it. */
  readonly asked: boolean;
  readonly verdict: "go" | "already" | "refused";
  readonly refusal: Refusal | null;
  /** The devices that have to be up, or down, before; by id. */
  readonly after: readonly string[];
  /** Steps of one wave depend on none of each other. */
  readonly wave: number;
  /** At the earliest, by the stagger alone; null where it is not started. Milliseconds. */
  readonly startsAfterMs: number | null;
}

export interface PlanOptions {
  readonly force: boolean;
  readonly paceOf: (clusterId: string) => Pace;
}

type Lookup = (id: string) => PlanDevice | undefined;

/**
 * What wakes these devices: whatever they need comes before them, also where nobody asked for it.
 *
 * A device that is on needs nothing any more. One whose need can be had by nobody is refused, and the others go on.
 */
export function planOfWake(asked: readonly string[], deviceOf: Lookup, { force, paceOf }: PlanOptions): PlannedStep[] {
  const isAsked = new Set(asked);
  const isOn = (device: PlanDevice) => device.power === "on" && !(force && isAsked.has(device.id));
  const isOut = ({ refusal, needs }: PlanDevice) => refusal !== null && !mayComeWithNeeds(refusal, needs);
  const needsOf = (device: PlanDevice) =>
    isOn(device) || isOut(device) ? [] : device.needs.map(({ deviceId }) => deviceId);
  const steps = new Map<string, PlannedStep>();
  for (const device of inOrder(asked, deviceOf, needsOf)) {
    const before = needsOf(device).flatMap((id) => steps.get(id) ?? []);
    const missing = before.find(({ verdict }) => verdict === "refused");
    const refusal = isOn(device)
      ? null
      : isOut(device)
        ? device.refusal
        : missing
          ? needFailed(missing.device.key, missing.refusal ?? UNKNOWN_REASON)
          : null;
    const isAwaited = (need: Need) => {
      const step = steps.get(need.deviceId);
      return step !== undefined && (step.verdict !== "already" || need.ready.type === "tcp");
    };
    const pending = refusal || isOn(device) ? [] : device.needs.filter(isAwaited);
    steps.set(device.id, {
      device,
      asked: isAsked.has(device.id),
      verdict: isOn(device) ? "already" : refusal ? "refused" : "go",
      refusal,
      after: pending.map(({ deviceId }) => deviceId),
      wave: waveAfter(before.filter(({ verdict }) => verdict === "go")),
      startsAfterMs: null,
    });
  }
  return staggered([...steps.values()], paceOf);
}

const UNKNOWN_REASON: Refusal = { code: "NEED_FAILED", reason: "it cannot be woken" };

/** Who is only out of its agents' reach may come into it with what it needs: an agent may run on just that machine. */
function mayComeWithNeeds({ code }: Refusal, needs: readonly Need[]): boolean {
  return code === "ALL_OFFLINE" && needs.length > 0;
}

/** Sentences about chains of needs grow no longer. Characters. */
const MAX_SENTENCE = 200;

/** Why a device is not woken whose need was not met. */
export function needFailed(key: string, { code, reason }: Refusal): Refusal {
  const isForbidden = code === "FORBIDDEN";
  const told = reason.length > MAX_SENTENCE ? "it cannot be woken" : reason;
  const sentence = told.startsWith("It needs ")
    ? `It needs "${key}", which${told.slice(2)}`
    : `It needs "${key}": ${told}`;
  return { code: isForbidden ? "FORBIDDEN" : "NEED_FAILED", reason: sentence };
}

const UP: ReadonlySet<PowerState> = new Set<PowerState>(["on", "waking", "stopping"]);

/** Whether a device stands on what it needs: also while it comes up, and until it is seen off. */
export function isUp(power: PowerState): boolean {
  return UP.has(power);
}

/**
 * What powers these devices down: whoever needs one goes before it. What a device that stays on needs stays on, too,
 * unless it is forced.
 *
 * @param dependentsOf who needs a device, by id.
 */
export function planOfOff(
  asked: readonly string[],
  deviceOf: Lookup,
  { force, paceOf, dependentsOf }: PlanOptions & { readonly dependentsOf: (id: string) => readonly string[] },
): PlannedStep[] {
  const isAsked = new Set(asked);
  const steps = new Map<string, PlannedStep>();
  const standingOn = (device: PlanDevice) =>
    dependentsOf(device.id).flatMap((id) => {
      const dependent = deviceOf(id);
      return dependent && isUp(dependent.power) ? dependent : [];
    });
  const before = (device: PlanDevice) => standingOn(device).flatMap(({ id }) => (isAsked.has(id) ? id : []));
  // another power-off may be under way, which is as good as one of this plan
  const isGoing = ({ id, power }: PlanDevice) =>
    isAsked.has(id) ? steps.get(id)?.verdict === "go" : power === "stopping";
  for (const device of inOrder(asked, deviceOf, before)) {
    const isDown = device.power === "off";
    const standing = isDown ? [] : standingOn(device);
    const staying = force ? [] : standing.filter((dependent) => !isGoing(dependent));
    const refusal = isDown ? null : (device.refusal ?? (staying.length > 0 ? neededBy(staying) : null));
    const after = standing.filter(isGoing).map(({ id }) => id);
    steps.set(device.id, {
      device,
      asked: true,
      verdict: isDown ? "already" : refusal ? "refused" : "go",
      refusal,
      after,
      wave: waveAfter(after.flatMap((id) => steps.get(id) ?? [])),
      startsAfterMs: null,
    });
  }
  return staggered([...steps.values()], paceOf);
}

const MAX_NAMED = 3;

export function neededBy(devices: readonly { readonly key: string }[]): Refusal {
  const shown = devices.slice(0, MAX_NAMED).map(({ key }) => `"${key}"`);
  const names =
    devices.length > MAX_NAMED ? `${shown.join(", ")} and ${devices.length - MAX_NAMED} more` : shown.join(", ");
  return {
    code: "NEEDED_BY",
    reason: `${names} ${devices.length === 1 ? "is on and needs it" : "are on and need it"}`,
  };
}

/** The asked devices and all that come before them, each once and after those. Somebody who comes before himself does so once. */
function inOrder(
  asked: readonly string[],
  deviceOf: Lookup,
  before: (device: PlanDevice) => readonly string[],
): PlanDevice[] {
  const order: PlanDevice[] = [];
  const known = new Set<string>();
  const path: { readonly device: PlanDevice; readonly ids: readonly string[]; next: number }[] = [];
  const enter = (id: string) => {
    const device = known.has(id) ? undefined : deviceOf(id);
    known.add(id);
    if (device) path.push({ device, ids: before(device), next: 0 });
  };
  for (const start of asked) {
    enter(start);
    for (let last = path.at(-1); last; last = path.at(-1)) {
      const id = last.ids[last.next++];
      if (id !== undefined) enter(id);
      else {
        order.push(last.device);
        path.pop();
      }
    }
  }
  return order;
}

function waveAfter(steps: readonly PlannedStep[]): number {
  return steps.reduce((wave, step) => Math.max(wave, step.wave + 1), 0);
}

/** In waves, with the starts of those devices of one cluster apart that were asked for together. */
function staggered(steps: readonly PlannedStep[], paceOf: (clusterId: string) => Pace): PlannedStep[] {
  const started = new Map<string, number>();
  return steps
    .toSorted((a, b) => a.wave - b.wave)
    .map((step) => {
      if (step.verdict !== "go") return step;
      if (!step.asked) return { ...step, startsAfterMs: 0 };
      const { clusterId } = step.device;
      const index = started.get(clusterId) ?? 0;
      started.set(clusterId, index + 1);
      return { ...step, startsAfterMs: index * paceOf(clusterId).staggerMs };
    });
}
