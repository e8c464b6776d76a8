import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { CallError } from "../api/call.ts";
import { cancelWake, wakeDevice, wakesOf } from "../api/devices.ts";
import { cancelPowerOff } from "../api/power.ts";
import { toast } from "../app/toast-list.ts";
import type { LiveStore } from "../live/live-store.ts";

/** What the hub said of one device of a request. */
export interface Taken {
  readonly device: string;
  readonly stage: string;
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
}

/** Asks the hub to wake, and to leave off, one request for a device at a time, and keeps what it refused until the next try. */
export class PowerRequests implements ReactiveController {
  asking: ReadonlySet<string> = new Set();
  problems: ReadonlyMap<string, string> = new Map();

  readonly #host: ReactiveControllerHost;
  readonly #store: LiveStore;

  constructor(host: ReactiveControllerHost, store: LiveStore) {
    this.#host = host;
    this.#store = store;
    host.addController(this);
  }

  hostConnected(): void {
    for (const news of ["wake", "power-off"]) this.#store.addEventListener(news, this.#forgetProblem);
    this.#store.addEventListener("back", this.#forgetProblems);
  }

  hostDisconnected(): void {
    for (const news of ["wake", "power-off"]) this.#store.removeEventListener(news, this.#forgetProblem);
    this.#store.removeEventListener("back", this.#forgetProblems);
  }

  readonly wake = async (device: DeviceAnswer, options?: { force: boolean }): Promise<void> => {
    await this.#ask(device, async () => {
      const { stage } = await wakeDevice(device.id, options);
      if (stage === "already-on") toast(`${device.name} is on already`);
    });
  };

  readonly cancel = async (device: DeviceAnswer): Promise<void> => {
    await this.#ask(device, async () => {
      const running = this.#store.newsOf(device.id)?.wake ?? (await wakesOf(device.id, 1))[0]?.id;
      if (running !== undefined) await cancelWake(running);
    });
  };

  readonly cancelPowerOff = async ({ id, powerOff, name }: DeviceAnswer): Promise<void> => {
    if (!powerOff) return;
    await this.#ask({ id }, async () => {
      await cancelPowerOff(powerOff.id);
      toast(`${name} stays on`);
    });
  };

  /** Marks what was refused of a request for many, and says what became of it. */
  took(name: string, action: "wake" | "off", answers: readonly Taken[]): void {
    const idOf = new Map([...this.#store.devices.values()].map(({ key, id }) => [key as string, id]));
    for (const { device, stage, code, reason } of answers) {
      const id = idOf.get(device);
      if (id !== undefined && stage === "refused" && code !== NOT_YOURS && reason)
        this.#set(id, { isAsking: false, problem: reason });
    }
    toast(`${name}: ${summary(answers, action)}`);
  }

  async #ask(device: Pick<DeviceAnswer, "id">, work: () => Promise<void>): Promise<void> {
    if (this.asking.has(device.id)) return;
    this.#set(device.id, { isAsking: true });
    try {
      await work();
      this.#set(device.id, { isAsking: false });
    } catch (error) {
      this.#set(device.id, { isAsking: false, problem: error instanceof Error ? error.message : String(error) });
      if (!(error instanceof CallError)) throw error;
    }
  }

  #set(id: string, { isAsking, problem }: { isAsking: boolean; problem?: string }): void {
    this.asking = isAsking ? new Set([...this.asking, id]) : new Set([...this.asking].filter((each) => each !== id));
    const problems = new Map(this.problems);
    if (problem === undefined) problems.delete(id);
    else problems.set(id, problem);
    this.problems = problems;
    this.#host.requestUpdate();
  }

  /** Back after a break: that the hub could not be reached is not so any more. */
  readonly #forgetProblems = (): void => {
    if (this.problems.size === 0) return;
    this.problems = new Map();
    this.#host.requestUpdate();
  };

  /** Whatever was refused before, something newer is known now. */
  readonly #forgetProblem = (event: Event): void => {
    const { deviceId } = (event as CustomEvent<{ deviceId: string }>).detail;
    if (this.problems.has(deviceId)) this.#set(deviceId, { isAsking: this.asking.has(deviceId) });
  };
}

/** Of a device that is not the account's: nothing is wrong with that, and no button stood there. */
const NOT_YOURS = "FORBIDDEN";

/** What became of a whole cluster: `waking 3, on already 1, refused 1`. */
function summary(answers: readonly Taken[], action: "wake" | "off"): string {
  const counts = Map.groupBy(answers, (answer) => outcomeOf(answer, action));
  return [...counts].map(([word, { length }]) => `${word} ${length}`).join(", ");
}

function outcomeOf({ stage, code }: Taken, action: "wake" | "off"): string {
  if (stage === "already-on") return "on already";
  if (stage === "already-off") return "off already";
  if (stage !== "refused" && stage !== "failed") return action === "wake" ? "waking" : "going down";
  if (code !== NOT_YOURS) return "refused";
  return action === "wake" ? "not yours to wake" : "not yours to power off";
}
