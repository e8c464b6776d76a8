import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { WakeAccepted } from "#contracts/api/wakes.ts";
import { CallError } from "../api/call.ts";
import { wakeCluster } from "../api/clusters.ts";
import { cancelWake, wakeDevice, wakesOf } from "../api/devices.ts";
import { toast } from "../app/toast-list.ts";
import type { LiveStore } from "../live/live-store.ts";

/** Asks the hub to wake, one request for a device at a time, and keeps what it refused until the next try. */
export class WakeRequests implements ReactiveController {
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
    this.#store.addEventListener("wake", this.#forgetProblem);
    this.#store.addEventListener("back", this.#forgetProblems);
  }

  hostDisconnected(): void {
    this.#store.removeEventListener("wake", this.#forgetProblem);
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

  readonly wakeAll = async (cluster: ClusterAnswer): Promise<void> => {
    if (this.asking.has(cluster.id)) return;
    this.#set(cluster.id, { isAsking: true });
    try {
      const wakes = await wakeCluster(cluster.id);
      this.#note(wakes);
      toast(`${cluster.name}: ${summary(wakes)}`);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      toast(error.message, "bad");
    } finally {
      this.#set(cluster.id, { isAsking: false });
    }
  };

  async #ask(device: DeviceAnswer, work: () => Promise<void>): Promise<void> {
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

  #note(wakes: readonly WakeAccepted[]): void {
    const idOf = new Map([...this.#store.devices.values()].map(({ key, id }) => [key, id]));
    for (const { device, stage, code, reason } of wakes) {
      const id = idOf.get(device);
      if (id !== undefined && stage === "refused" && code !== NOT_YOURS && reason)
        this.#set(id, { isAsking: false, problem: reason });
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

/** Of a device that the account may not wake: nothing is wrong with that, and no button stood there. */
const NOT_YOURS = "FORBIDDEN";

/** What became of a whole cluster: `waking 3, on already 1, refused 1`. */
function summary(wakes: readonly WakeAccepted[]): string {
  const counts = new Map<string, number>();
  for (const wake of wakes) {
    const word = outcomeOf(wake);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${word} ${count}`).join(", ");
}

function outcomeOf({ stage, code }: WakeAccepted): string {
  if (stage === "already-on") return "on already";
  if (stage !== "refused" && stage !== "failed") return "waking";
  return code === NOT_YOURS ? "not yours to wake" : "refused";
}
