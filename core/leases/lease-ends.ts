import type { Logger } from "pino";
import type { PowerState } from "#contracts/power.ts";
import { isDatabaseGone } from "../kernel/database-gone.ts";
import type { Database } from "../kernel/database.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import { OFF_WITHIN_MS, type OpenLease } from "./lease.rules.ts";
import { type EndedBecause, type Leases, refreshLeases } from "./leases.ts";
import { endLease } from "./leases.service.ts";

/** The clock of the wall is looked at so often, since it may jump. Milliseconds. */
const LOOK_MS = 30_000;
/** What did not work is tried again so much later. Milliseconds. */
const RETRY_MS = 5_000;
/** Ended leases are history for so long. */
const KEPT_DAYS = 400;
const PRUNE = `delete from lease where ended_at < now() - make_interval(days => ${KEPT_DAYS})`;
const DAY_MS = 24 * 60 * 60 * 1_000;

export interface LeaseEndsOptions {
  readonly database: Database;
  readonly leases: Leases;
  readonly directory: Directory;
  readonly power: Pick<PowerStates, "of" | "onChange">;
  /** The wakes that are under way: while a machine comes up, nothing takes it down. */
  readonly wakes: {
    isRunning(deviceId: string): boolean;
    onAsked(listener: (deviceId: string) => void): void;
    onOver(listener: (deviceId: string) => void): void;
  };
  /** Powers a device off in the name of the hub. Returns why it does not, in a sentence; null when it does. */
  readonly powerOff: (device: DirectoryDevice) => string | null;
  readonly onEnded: (lease: OpenLease, device: DirectoryDevice, reason: string) => void;
  /** The clock of the wall. */
  readonly now: () => Date;
  readonly log: Logger;
}

/** Ends leases when their time comes, and powers off what nobody holds any more, where that is set. */
export class LeaseEnds {
  readonly #options: LeaseEndsOptions;
  /** Until when a device may still be powered off once it is seen on: nobody has looked yet. */
  readonly #awaited = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #pruneTimer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isStarted = false;
  #retryAt = 0;

  constructor(options: LeaseEndsOptions) {
    this.#options = options;
    options.leases.onChange(() => this.#arm());
    options.power.onChange(({ device }) => this.#lookAt(device));
    options.wakes.onOver((deviceId) => {
      const device = options.directory.devices.byId(deviceId);
      if (device) this.#lookAt(device);
    });
    // whoever asks for it now wants it on, whatever was before
    options.wakes.onAsked((deviceId) => this.#awaited.delete(deviceId));
  }

  start(): void {
    this.#isStarted = true;
    void this.#prune();
    this.#pruneTimer = setInterval(() => void this.#prune(), DAY_MS);
    this.#arm();
  }

  async close(): Promise<void> {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    clearInterval(this.#pruneTimer);
    await this.#looking;
  }

  /** Ends what is over by now. */
  async look(): Promise<void> {
    await (this.#looking ??= this.#endDue().finally(() => {
      this.#looking = undefined;
      this.#arm();
    }));
  }

  /** Somebody ended a lease: tells of it, and goes on where it was the last. */
  ended(lease: OpenLease, because: EndedBecause): void {
    const { directory, onEnded } = this.#options;
    const device = directory.devices.byId(lease.deviceId);
    if (device) onEnded(lease, device, `${WORDS[because]}${this.#after(lease, device, because)}`);
  }

  async #endDue(): Promise<void> {
    const { database, leases, now, log } = this.#options;
    const due = [...leases].filter(({ until }) => until !== null && until <= now());
    for (const lease of due) {
      if (!database.isUp()) return this.#retryLater();
      try {
        const end = { lease, because: "expired", now: now(), trail: null } as const;
        if (await endLease(database.fork(), leases, end)) this.ended(lease, "expired");
      } catch (error) {
        const what = isDatabaseGone(error) ? "the database is away" : "a lease could not be ended";
        log.warn({ err: error }, `${what}; it is tried again`);
        return this.#retryLater();
      }
    }
  }

  #retryLater(): void {
    this.#retryAt = this.#options.now().getTime() + RETRY_MS;
  }

  /** What follows the end of a lease, as the rest of a sentence. */
  #after({ until }: OpenLease, device: DirectoryDevice, because: EndedBecause): string {
    const { leases, now, power } = this.#options;
    if (!device.power.offAfterLease) return "";
    const { count, by } = leases.of(device.id, now());
    if (count > 0) return `; ${by.join(", ")} still holds it on`;
    const lateMs = because === "expired" && until ? now().getTime() - until.getTime() : 0;
    if (lateMs > OFF_WITHIN_MS)
      return "; it is not powered off, since the lease ended long before the hub could see to it";
    switch (power.of(device.id).power) {
      case "on":
        return this.#powerOff(device);
      case "off":
      case "stopping":
        return "";
      case "waking":
      case "unreachable":
      case "unknown":
        this.#awaited.set(device.id, now().getTime() - lateMs + OFF_WITHIN_MS);
        return "; it is powered off if it is seen on within a quarter of an hour";
    }
  }

  #lookAt(device: DirectoryDevice): void {
    const until = this.#awaited.get(device.id);
    const { power } = this.#options.power.of(device.id);
    if (until === undefined || !SETTLED.has(power) || this.#options.wakes.isRunning(device.id)) return;
    this.#awaited.delete(device.id);
    if (power === "on" && this.#options.now().getTime() <= until) this.#offIfFree(device);
  }

  #offIfFree(device: DirectoryDevice): void {
    if (this.#options.leases.of(device.id, this.#options.now()).count === 0) this.#powerOff(device);
  }

  #powerOff(device: DirectoryDevice): string {
    const refusal = this.#options.powerOff(device);
    if (refusal === null) return "; it is being powered off";
    this.#options.log.warn({ device: device.key, reason: refusal }, "a device stays on after its last lease");
    return `; it is not powered off: ${refusal}`;
  }

  #arm(): void {
    if (!this.#isStarted || this.#looking) return;
    clearTimeout(this.#timer);
    const now = this.#options.now().getTime();
    let end = Number.POSITIVE_INFINITY;
    for (const { until } of this.#options.leases) end = Math.min(end, until?.getTime() ?? end);
    const next = Math.max(end - now, this.#retryAt - now, 0);
    this.#timer = setTimeout(() => void this.#turn(), Math.min(next, LOOK_MS));
  }

  async #turn(): Promise<void> {
    await this.#refresh();
    await this.look();
  }

  async #refresh(): Promise<void> {
    const { database, leases, log } = this.#options;
    if (!database.isUp()) return;
    try {
      await refreshLeases(database.fork(), leases);
    } catch (error) {
      log.warn({ err: error }, "leases could not be read anew");
    }
  }

  async #prune(): Promise<void> {
    try {
      await this.#options.database.execute(PRUNE, []);
    } catch (error) {
      this.#options.log.warn({ err: error }, "old leases could not be deleted; the next day tries again");
    }
  }
}

/** Where somebody looked, and nothing is under way. */
const SETTLED: ReadonlySet<PowerState> = new Set(["on", "off", "stopping"]);

const WORDS: Readonly<Record<EndedBecause, string>> = {
  expired: "its time was over",
  released: "it was given back",
  forced: "somebody took it away",
  "device-removed": "the device is gone",
};
