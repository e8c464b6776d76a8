import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { AuditRow } from "#contracts/api/audit.ts";
import { type AuditFilter, auditPart } from "../api/audit.ts";
import { CallError } from "../api/call.ts";

/** The part of the log that fits a filter, the newest first, read further and further back. */
export class AuditRows implements ReactiveController {
  filter: AuditFilter = {};
  rows: readonly AuditRow[] = [];
  /** Of all that fit; undefined until the hub said. */
  total: number | undefined;
  isReading = false;
  problem = "";

  readonly #host: ReactiveControllerHost;
  #next: string | null = null;
  #turn = 0;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    globalThis.addEventListener("logged-in-again", this.#reread);
    this.#reread();
  }

  hostDisconnected(): void {
    globalThis.removeEventListener("logged-in-again", this.#reread);
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  /** From the newest on. What was shown stays until the hub answered. */
  async show(filter: AuditFilter): Promise<void> {
    this.filter = filter;
    await this.#read(null);
  }

  async more(): Promise<void> {
    if (this.#next !== null && !this.isReading) await this.#read(this.#next);
  }

  async #read(cursor: string | null): Promise<void> {
    const turn = ++this.#turn;
    this.isReading = true;
    this.#host.requestUpdate();
    try {
      const { items, next, total } = await auditPart(this.filter, cursor);
      if (turn !== this.#turn) return; // another filter was chosen meanwhile
      this.rows = cursor === null ? items : [...this.rows, ...items];
      this.#next = next;
      this.total = total;
      this.problem = "";
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (turn !== this.#turn) return;
      this.problem = error.message;
    }
    this.isReading = false;
    this.#host.requestUpdate();
  }

  readonly #reread = (): void => void this.show(this.filter);
}
