import type { EntityManager } from "@mikro-orm/postgresql";
import type { LeaseAnswer } from "#contracts/api/leases.ts";
import { Turns } from "../kernel/turns.ts";
import type { Directory } from "../members/directory.ts";
import { type Held, type Holder, type OpenLease, heldBy } from "./lease.rules.ts";
import { Lease } from "./lease.entity.ts";

export type EndedBecause = NonNullable<LeaseAnswer["endedBecause"]>;

/** All leases that are not over, in memory, brought up to date after each commit. */
export class Leases {
  readonly #byId = new Map<string, OpenLease>();
  readonly #byDevice = new Map<string, Map<string, OpenLease>>();
  readonly #listeners: ((deviceId: string) => void)[] = [];
  readonly #turns = new Turns();

  constructor(directory: Directory) {
    directory.onChange((change) => {
      if (change.type !== "device" || !change.before || change.after) return;
      // their rows went with it
      for (const id of this.#byDevice.get(change.before.id)?.keys() ?? []) this.remove(id);
    });
  }

  [Symbol.iterator](): IterableIterator<OpenLease> {
    return this.#byId.values();
  }

  byId(id: string): OpenLease | undefined {
    return this.#byId.get(id);
  }

  /** Who holds a device on now. One that is over but for its row does not count. */
  of(deviceId: string, now = new Date()): Held {
    return heldBy(this.on(deviceId), now);
  }

  on(deviceId: string): OpenLease[] {
    return [...(this.#byDevice.get(deviceId)?.values() ?? [])];
  }

  countOf({ heldBy, holder }: Holder, siteId: string): number {
    return [...this.#byId.values()].filter(
      (lease) => lease.siteId === siteId && lease.heldBy === heldBy && lease.holder === holder,
    ).length;
  }

  /** Runs changes one after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(work);
  }

  /** Calls the listener when a device is held longer, shorter, by others or not any more. */
  onChange(listener: (deviceId: string) => void): void {
    this.#listeners.push(listener);
  }

  put(lease: OpenLease): void {
    this.#byId.set(lease.id, lease);
    const onDevice = this.#byDevice.get(lease.deviceId) ?? new Map<string, OpenLease>();
    this.#byDevice.set(lease.deviceId, onDevice);
    onDevice.set(lease.id, lease);
    this.#tell(lease.deviceId);
  }

  remove(id: string): void {
    const lease = this.#byId.get(id);
    if (!lease) return;
    this.#byId.delete(id);
    const onDevice = this.#byDevice.get(lease.deviceId);
    onDevice?.delete(id);
    if (onDevice?.size === 0) this.#byDevice.delete(lease.deviceId);
    this.#tell(lease.deviceId);
  }

  #tell(deviceId: string): void {
    for (const listener of this.#listeners) listener(deviceId);
  }
}

/** Reads what is open of all sites once, at the start. */
export async function loadLeases(em: EntityManager, directory: Directory): Promise<Leases> {
  const leases = new Leases(directory);
  for (const lease of await openLeases(em)) leases.put(lease);
  return leases;
}

/** Brings them in line with the rows: another hub, or a change that nobody could tell of, may have touched them. */
export async function refreshLeases(em: EntityManager, leases: Leases): Promise<void> {
  await leases.inTurn(async () => {
    const fresh = new Map((await openLeases(em)).map((lease) => [lease.id, lease]));
    for (const { id } of leases) if (!fresh.has(id)) leases.remove(id);
    for (const lease of fresh.values()) {
      const known = leases.byId(lease.id);
      if (!known || known.until?.getTime() !== lease.until?.getTime()) leases.put(lease);
    }
  });
}

async function openLeases(em: EntityManager): Promise<OpenLease[]> {
  const rows = await em.find(Lease, { endedAt: null }, { filters: { site: false }, disableIdentityMap: true });
  return rows.map(openLease);
}

export function openLease(row: Lease): OpenLease {
  const { id, heldBy, holder, since } = row;
  const of = { siteId: row.site.id, deviceId: row.device.id };
  return { id, ...of, heldBy, holder, reason: row.reason ?? null, since, until: row.until ?? null };
}
