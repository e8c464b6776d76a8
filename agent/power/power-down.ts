import type { PowerReceipt, RefusalReason } from "#contracts/agent.ts";
import type { PowerCancelOrder, PowerOrder, WakeOrder } from "#contracts/order.ts";
import type { Background } from "../background.ts";
import type { HubClock } from "../hub-clock.ts";
import type { Log } from "../log.ts";
import { isSuperseded } from "../orders.rules.ts";
import { GoingDown, StaysUp } from "./going-down.ts";
import { jobsIn } from "./jobs.ts";
import {
  type Objection,
  allClear,
  isCountedDown,
  objectionOf,
  warning,
  whyHeld,
  whyNotThisMachine,
  whyStranded,
  whyUnable,
} from "./power-down.rules.ts";
import type { PowerSystem } from "./power-system.ts";

/** The hub has to know that the machine goes down before it does: else its end looks like a failure. Milliseconds. */
const TAKEN_WITHIN_MS = 2_000;
/** A machine that still is up so long after it was told to go down will not, and may be told again. Milliseconds. */
const SETTLES_WITHIN_MS = 60_000;
/** Those who end the agent wait for it. Milliseconds. */
const ENDS_WITHIN_MS = 2_500;
const ENDS = "The agent on it is ending";
const TAKEN_BACK = "The hub took it back";
/** Each concerns one order of the last 30 s. */
const MAX_TAKEN_BACK = 100;

export interface PowerDownOptions {
  readonly system: PowerSystem;
  readonly clock: HubClock;
  readonly stateDir: string;
  /** Publishes a receipt; whether the broker took it. */
  readonly publish: (receipt: PowerReceipt) => Promise<boolean>;
  readonly now: () => Date;
  /** When the hub issued the newest order to wake a device that was seen here. Milliseconds, by the hub's clock. */
  readonly wokenAtMs: (mac: PowerOrder["mac"]) => number | undefined;
  /** Lets everybody on this machine say not now, while it counts down. */
  readonly openDoor: (() => Promise<{ close(): void }>) | undefined;
  readonly inBackground: Background;
  readonly log: Log;
}

type Told = Pick<PowerReceipt["power"], "outcome"> & Partial<PowerReceipt["power"]>;

/**
 * Takes this machine down, one order at a time, and tells the hub how far it is.
 *
 * It does so only while it hears the hub. Where the connection ends, or the machine was suspended, in the middle of a
 * countdown, it stays up: nobody could have taken the order back.
 */
export class PowerDown {
  readonly #options: PowerDownOptions;
  #current: GoingDown | undefined;
  #isClosed = false;
  readonly #takenBack = new Set<string>();
  #settling: NodeJS.Timeout | undefined;
  /** How the last one ended, where the broker has not taken that yet. */
  #untold: PowerReceipt | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: PowerDownOptions) {
    this.#options = options;
  }

  /** An order with a good signature; `refusal` is what speaks against it before anything else. */
  take(order: PowerOrder, refusal: RefusalReason | undefined): void {
    const { inBackground } = this.#options;
    if (refusal) return inBackground("a refusal", () => this.#refuse(order, objectionOf(refusal)));
    if (this.#isClosed || this.#current) {
      const reason = this.#current ? `It is about to go down already: ${this.#current.order.action}` : ENDS;
      return inBackground("a refusal", () => this.#refuse(order, { code: "BUSY", reason }));
    }
    const current = new GoingDown(order);
    if (this.#takenBack.has(order.id)) current.callOff(TAKEN_BACK);
    this.#current = current;
    this.#last = this.#carryOut(current);
    inBackground("a power order", () => this.#last);
  }

  /** The hub takes one order back, which may come later than that. */
  cancel({ order }: PowerCancelOrder): void {
    this.#takenBack.add(order);
    const [oldest] = this.#takenBack;
    if (this.#takenBack.size > MAX_TAKEN_BACK && oldest !== undefined) this.#takenBack.delete(oldest);
    if (this.#current?.order.id === order) this.#current.callOff(TAKEN_BACK);
  }

  /** Somebody wakes devices, perhaps this one. */
  woken({ targets }: WakeOrder): void {
    const current = this.#current;
    if (!current || !targets.some(({ mac }) => mac === current.order.mac)) return;
    if (this.#isSuperseded(current.order)) current.callOff("It was woken in the meantime");
  }

  /** Somebody on this machine says not now; false where nothing is about to happen. */
  notNow(who: string): boolean {
    return this.#current?.callOff(`${who} said not now`) ?? false;
  }

  /** What was said on the way up to now no longer counts. */
  lostTouch(reason: string): void {
    this.#current?.callOff(reason);
  }

  /** A connection that works: the hub may not know yet how the last one ended. */
  async connected(): Promise<void> {
    if (this.#current?.isHandedOver) this.#isDone(this.#current); // it was asleep, or did not go down
    const untold = this.#untold;
    this.#untold = undefined;
    if (untold && !(await this.#options.publish(untold))) this.#untold ??= untold;
  }

  /** This agent ends. What it had begun to count down does not happen. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#current?.callOff(ENDS);
    clearTimeout(this.#settling);
    if (this.#current?.isHandedOver) return; // it ends because the machine does
    await Promise.race([this.#last, new Promise((resolve) => setTimeout(resolve, ENDS_WITHIN_MS).unref())]);
  }

  async #carryOut(current: GoingDown): Promise<void> {
    const { system, log } = this.#options;
    const { id, action, force } = current.order;
    try {
      await this.#prepare(current);
      await this.#announce(current);
      await this.#acknowledge(current);
      log.warn({ order: id, action, force }, "This machine goes down, as the hub ordered");
      current.isHandedOver = true;
      await system.goDown(action, { force });
      this.#settling = setTimeout(() => this.#isDone(current), SETTLES_WITHIN_MS).unref();
    } catch (error) {
      await this.#stayUp(current, error);
      this.#isDone(current);
    }
  }

  /** Whether there is nothing against it, and the network card armed. */
  async #prepare(current: GoingDown): Promise<void> {
    const { system } = this.#options;
    const { order } = current;
    current.goOn();
    const [macs, ability, held, users, armed] = await Promise.all([
      system.ownMacs(),
      system.able(),
      this.#held(order),
      system.users(),
      order.action === "reboot" ? null : system.arm(order.mac), // which is right even when it stays up
    ]);
    current.users = users;
    current.armed = armed;
    const objection =
      whyNotThisMachine(order, macs) ??
      whyUnable(order.action, ability) ??
      whyHeld(order, held) ??
      whyStranded(order, armed);
    if (objection) throw StaysUp.because(objection);
    current.goOn();
  }

  async #announce(current: GoingDown): Promise<void> {
    const { system, now, openDoor, log } = this.#options;
    const { order, users } = current;
    if (!isCountedDown(order, users)) return;
    const ms = order.countdownSeconds * 1000;
    const endsMs = performance.now() + ms;
    const until = new Date(now().getTime() + ms).toISOString();
    log.warn(
      { order: order.id, action: order.action, until, users },
      "This machine goes down soon, as the hub ordered",
    );
    const [door] = await Promise.all([
      openDoor?.(),
      system.tell(warning(order.action, order.countdownSeconds)).catch(this.#couldNotTell),
      this.#publish(current, { outcome: "announced", until }),
    ]);
    try {
      await current.wait(endsMs - performance.now());
      const held = whyHeld(order, await this.#held(order));
      if (held) throw StaysUp.because(held); // since it was announced
    } catch (error) {
      await system.tell(allClear((error as Error).message)).catch(this.#couldNotTell);
      throw error;
    } finally {
      door?.close();
    }
  }

  /** The last look at everything that may have changed since, then the word that the hub has to have before this machine is gone. */
  async #acknowledge(current: GoingDown): Promise<void> {
    const { clock } = this.#options;
    const goOn = () => {
      current.goOn();
      if (clock.now(performance.now()) === undefined) throw StaysUp.because(objectionOf("CLOCK_UNKNOWN"));
      if (this.#isSuperseded(current.order)) throw StaysUp.because(objectionOf("SUPERSEDED"));
    };
    goOn();
    const taken = await this.#publish(current, { outcome: "acknowledged" });
    goOn();
    if (!taken) throw new StaysUp("failed", "The hub could not be told that it goes down");
  }

  async #stayUp(current: GoingDown, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    const { outcome, code } = error instanceof StaysUp ? error : ({ outcome: "failed", code: null } as const);
    const { order, isHandedOver } = current;
    this.#options.log.warn({ order: order.id, action: order.action, outcome, code, reason }, "This machine stays up");
    if (isHandedOver) await this.#options.system.tell(allClear(reason)).catch(this.#couldNotTell);
    await this.#publish(current, { outcome, code, reason: reason.slice(0, 500) });
  }

  async #refuse(order: PowerOrder, { code, reason }: Objection): Promise<void> {
    this.#options.log.info({ order: order.id, action: order.action, refusal: code }, "Refused a power order");
    await this.#options.publish(this.#receipt(order, { outcome: "refused", code, reason }));
  }

  async #publish(current: GoingDown, told: Told): Promise<boolean> {
    const { users, armed } = current;
    const receipt = this.#receipt(current.order, { users, armed, ...told });
    const timeout = new Promise<false>((resolve) => setTimeout(resolve, TAKEN_WITHIN_MS, false).unref());
    const taken = await Promise.race([this.#options.publish(receipt), timeout]);
    const isEnd = told.outcome !== "announced" && told.outcome !== "acknowledged";
    if (isEnd && !taken) this.#untold = receipt;
    return taken;
  }

  #receipt(order: PowerOrder, told: Told): PowerReceipt {
    const { id, device } = order;
    const unknown = { code: null, reason: null, until: null, users: null, armed: null };
    return { order: id, at: this.#options.now().toISOString(), power: { device, ...unknown, ...told } };
  }

  async #held({ action }: PowerOrder): Promise<string[]> {
    const { system, stateDir } = this.#options;
    const [inhibitors, jobs] = await Promise.all([system.inhibitors(action), jobsIn(stateDir)]);
    return [...jobs, ...inhibitors];
  }

  #isSuperseded(order: PowerOrder): boolean {
    const { clock, wokenAtMs } = this.#options;
    return isSuperseded(order, wokenAtMs(order.mac), clock.now(performance.now()) ?? Infinity);
  }

  #isDone(current: GoingDown): void {
    if (this.#current === current) this.#current = undefined;
  }

  readonly #couldNotTell = (error: unknown): void => {
    this.#options.log.debug({ reason: (error as Error).message }, "The people on this machine could not be told");
  };
}
