import { Key } from "#contracts/key.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import { FINAL_POWER_OFF_STAGES, type PowerOffStageRecord, type PowerOffWay } from "#contracts/power-off.ts";
import type { DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import type { Asker } from "../wake/running-wake.ts";
import { addAsker } from "../wake/askers.ts";

/** The signed order of a power-off, as it was sent. It is published again as it is, or not at all. */
export interface SentPowerOrder {
  readonly id: string;
  readonly jws: string;
  readonly sentMs: number;
  isRepeated: boolean;
}

/** Whoever calls a power-off back, and why. */
export interface CallBack {
  readonly by: string;
  readonly reason: string | null;
}

/** What is to happen to which device, by whom. */
export interface PowerOffTask {
  readonly device: DirectoryDevice;
  readonly clusterKey: string;
  readonly action: PowerOffAction;
  readonly way: PowerOffWay;
  /** The agent on the machine; null where another way is taken. */
  readonly agent: DirectoryAgent | null;
  readonly force: boolean;
}

/** One power-off of one device: what happened so far, and until when what is next is waited for. Instants on the monotonic clock end in `Ms`. */
export class RunningPowerOff {
  readonly id: string;
  readonly deviceId: string;
  readonly deviceKey: Key;
  readonly siteId: string;
  readonly clusterKey: string;
  readonly action: PowerOffAction;
  readonly way: PowerOffWay;
  readonly agent: { readonly id: string; readonly key: Key } | null;
  readonly force: boolean;
  readonly requestedAt: Date;
  readonly requestedBy: string;
  readonly askers: Asker[];
  readonly stages: PowerOffStageRecord[] = [];
  readonly startedMs: number;
  order: SentPowerOrder | null = null;
  /** When what is waited for has not come in time. */
  deadlineMs = Number.POSITIVE_INFINITY;
  /** Whether the machine was seen off since; of a reboot it has to come back then. */
  wentDown = false;
  /** When the agent on the machine had started, before. */
  agentStartedAt: string | null = null;
  /** When a fresh order is given, since the agent did not know how old the first one was; once. */
  anewMs: number | null = null;
  /** Somebody wants it not to happen after all, and whoever carries it out was told. */
  callingBack: CallBack | null = null;
  /** For ways other than an agent. */
  readonly takenBack = new AbortController();
  finishedAt: Date | null = null;
  seconds: number | null = null;

  constructor(id: string, task: PowerOffTask, asker: Asker, clock: { now: Date; nowMs: number }) {
    const { device, agent } = task;
    this.id = id;
    this.deviceId = device.id;
    this.deviceKey = Key.parse(device.key);
    this.siteId = device.siteId;
    this.clusterKey = task.clusterKey;
    this.action = task.action;
    this.way = task.way;
    this.agent = agent && { id: agent.id, key: Key.parse(agent.key) };
    this.force = task.force;
    this.requestedAt = clock.now;
    this.requestedBy = asker.by;
    this.askers = [asker];
    this.startedMs = clock.nowMs;
  }

  get last(): PowerOffStageRecord | undefined {
    return this.stages.at(-1);
  }

  /** The newest step or the end; one that was just made counts as accepted. */
  get stage(): PowerOffStageRecord["stage"] {
    return this.last?.stage ?? "accepted";
  }

  get isOver(): boolean {
    return this.finishedAt !== null;
  }

  /** Whoever carries it out has said that it does. */
  get isAcknowledged(): boolean {
    return this.stages.some(({ stage }) => stage === "acknowledged");
  }

  /** Whether it may be on its way out of the hub's hands: from then on an end of it here is no end of it there. */
  get wasSent(): boolean {
    return this.stages.some(({ stage }) => stage === "sent");
  }

  /** Whether the machine may be on its way down, so that its being up proves nothing. */
  get isGoingDown(): boolean {
    return this.wasSent && !this.wentDown;
  }

  /** The end of the countdown, while there is one. */
  get until(): string | null {
    return this.last?.stage === "announced" ? this.last.until : null;
  }

  secondsSince(nowMs: number): number {
    return Math.round((nowMs - this.startedMs) / 100) / 10;
  }

  /** One more who wants to hear the results; false when there are too many already. */
  join(asker: Asker): boolean {
    return addAsker(this.askers, asker);
  }

  record(record: PowerOffStageRecord): void {
    this.stages.push(record);
    if (!FINAL_POWER_OFF_STAGES.has(record.stage)) return;
    this.finishedAt = new Date(record.at);
    if (record.stage === "off" || record.stage === "rebooted") this.seconds = record.seconds;
  }
}
