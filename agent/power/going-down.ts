import type { RefusalReason } from "#contracts/agent.ts";
import type { PowerOrder } from "#contracts/order.ts";
import type { Objection } from "./power-down.rules.ts";

/** Ends a power-off from within: the machine stays up. */
export class StaysUp extends Error {
  readonly outcome: "refused" | "cancelled" | "failed";
  readonly code: RefusalReason | null;

  constructor(outcome: "refused" | "cancelled" | "failed", reason: string, code: RefusalReason | null = null) {
    super(reason);
    this.outcome = outcome;
    this.code = code;
  }

  static because({ code, reason }: Objection): StaysUp {
    return new StaysUp("refused", reason, code);
  }
}

/** One power order that is being carried out. It can be called off up to the moment when the machine is told to go down. */
export class GoingDown {
  readonly order: PowerOrder;
  users: number | null = null;
  armed: boolean | null = null;
  /** From then on it is the system's: nobody can call it off any more. */
  isHandedOver = false;
  #calledOff: StaysUp | undefined;
  #wake: () => void = () => {};

  constructor(order: PowerOrder) {
    this.order = order;
  }

  /** False when it is too late, or was called off already. */
  callOff(reason: string): boolean {
    if (this.isHandedOver || this.#calledOff) return false;
    this.#calledOff = new StaysUp("cancelled", reason);
    this.#wake();
    return true;
  }

  /** @throws StaysUp when it was called off. */
  goOn(): void {
    if (this.#calledOff) throw this.#calledOff;
  }

  /** @throws StaysUp as soon as it is called off. */
  async wait(ms: number): Promise<void> {
    this.goOn();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.goOn();
  }
}
