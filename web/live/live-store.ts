import type { AgentAnswer } from "#contracts/api/agents.ts";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { LiveEvent } from "#contracts/api/live.ts";
import type { HubInfo } from "#contracts/power.ts";
import { hrefOf } from "../api/address.ts";
import { chosenSite } from "../api/site.ts";

/** What the hub sends by one name: `DataOf<"snapshot">`. */
type DataOf<Name extends LiveEvent["event"]> = Extract<LiveEvent, { event: Name }>["data"];

/** The newest that was heard of a wake. */
export type WakeNews = DataOf<"wake">;

/** A step of a power-off. */
export type PowerOffNews = DataOf<"power-off">;

/**
 * - `connecting` nothing was heard yet
 * - `live` what is shown is of now
 * - `lost` the connection is gone, and did not come back at the first try; what is shown is as old as `heardAt`
 */
export type Connection = "connecting" | "live" | "lost";

export interface LiveStoreOptions {
  /** Opens the stream; replaced in tests. */
  readonly open?: () => EventSource;
  /** Called when the stream ends, is refused, or is open again: the session may be over, or its rights may be others now. */
  readonly onDoubt?: () => void;
}

/** The hub pings every 15 s; who heard nothing for this long is not connected, whatever the browser believes. Milliseconds. */
const SILENCE_MS = 35_000;
const CHECK_MS = 1_000;
/** How long the first try to be back may take; browsers wait three to five seconds before it. Milliseconds. */
const GRACE_MS = 7_000;
/** How long a hidden page stays connected. Milliseconds. */
const REST_MS = 60_000;
/** Pauses before the stream is opened anew after the hub, or a proxy before it, refused it. Milliseconds. */
const RETRY_MS = [1_000, 2_000, 5_000, 10_000];

/**
 * Everything that the page shows, kept live by server-sent events. It is the one source of every element, and it knows how
 * old its data is. Rows are replaced, never changed, so that an element sees by identity whether its row is new.
 *
 * @fires change
 * @fires wake, power-off with the news of one
 * @fires schedules when schedules or leases are others now
 * @fires back when the hub can be reached again
 */
export class LiveStore extends EventTarget {
  readonly devices = new Map<string, DeviceAnswer>();
  readonly clusters = new Map<string, ClusterAnswer>();
  readonly agents = new Map<string, AgentAnswer>();
  hub: HubInfo | undefined;
  connection: Connection = "connecting";
  /** Whether another version of the hub answers than the one that this page came from. */
  isOutdated = false;
  /** When the hub was last heard, by this machine's clock. */
  heardAt: Date | undefined;

  readonly #open: () => EventSource;
  readonly #onDoubt: () => void;
  readonly #news = new Map<string, WakeNews>();
  readonly #powerOffs = new Map<string, readonly PowerOffNews[]>();
  #source: EventSource | undefined;
  #check: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #isBroken = false;
  #refusals = 0;
  #heardMs = 0;
  #clockAheadMs = 0;
  #version: string | undefined;

  constructor({ open = openEvents, onDoubt = () => {} }: LiveStoreOptions = {}) {
    super();
    this.#open = open;
    this.#onDoubt = onDoubt;
  }

  start(): void {
    if (this.#check !== undefined) return;
    this.#connect();
    this.#check = setInterval(() => this.#noticeSilence(), CHECK_MS);
    document.addEventListener("visibilitychange", this.#visibilityChanged);
    globalThis.addEventListener("online", this.#reconnect);
  }

  close(): void {
    clearInterval(this.#check);
    clearTimeout(this.#retry);
    clearTimeout(this.#rest);
    clearTimeout(this.#grace);
    this.#grace = undefined;
    this.#check = undefined;
    this.#retry = undefined;
    this.#refusals = 0;
    this.#source?.close();
    document.removeEventListener("visibilitychange", this.#visibilityChanged);
    globalThis.removeEventListener("online", this.#reconnect);
  }

  /** What one account saw is not for the next one. */
  forget(): void {
    this.close();
    for (const rows of [this.devices, this.clusters, this.agents, this.#news, this.#powerOffs]) rows.clear();
    this.#isBroken = false;
    this.hub = undefined;
    this.heardAt = undefined;
    this.connection = "connecting";
    this.#tell();
  }

  /** The hub's clock at this moment. Milliseconds since 1970. */
  nowMs(): number {
    return Date.now() - this.#clockAheadMs;
  }

  newsOf(deviceId: string): WakeNews | undefined {
    return this.#news.get(deviceId);
  }

  /** What was heard of the device's newest power-off, step by step. */
  stepsOf(deviceId: string): readonly PowerOffNews[] {
    return this.#powerOffs.get(deviceId) ?? [];
  }

  #connect(): void {
    this.#source?.close();
    const source = this.#open();
    this.#source = source;
    this.#heardMs = performance.now();
    source.addEventListener("error", () => {
      if (source !== this.#source) return;
      const isRefused = source.readyState === EventSource.CLOSED;
      if (isRefused || !this.#isBroken) this.#onDoubt();
      if (isRefused || this.#isBroken || !this.heardAt) this.#setConnection("lost");
      this.#break();
      if (isRefused) this.#retryLater();
    });
    // the browser's own: it is open again after a break, and what was missed follows
    source.addEventListener("open", () => {
      if (source !== this.#source || !this.#isBroken || !this.heardAt) return;
      this.#mend();
      this.#setConnection("live");
      this.dispatchEvent(new Event("back"));
      this.#onDoubt();
    });
    const on = <Name extends LiveEvent["event"]>(name: Name, take: (data: DataOf<Name>) => void) =>
      source.addEventListener(name, (message) => {
        if (source !== this.#source) return;
        take(JSON.parse(message.data) as DataOf<Name>); // the hub's own words; another version's may hold more
        this.#heard();
      });
    on("snapshot", (data) => this.#replaceAll(data));
    on("ping", ({ at }) => this.#setClock(at));
    on("device", (row) => void this.devices.set(row.id, row));
    on("cluster", (row) => void this.clusters.set(row.id, row));
    on("agent", (row) => void this.agents.set(row.id, row));
    on("hub", (info) => (this.hub = info));
    on("removed", (removed) => this.#remove(removed));
    on("wake", (news) => {
      this.#news.set(news.deviceId, news);
      this.dispatchEvent(new CustomEvent("wake", { detail: news }));
    });
    on("power-off", (step) => {
      const before = this.stepsOf(step.deviceId).filter(({ powerOff }) => powerOff === step.powerOff);
      this.#powerOffs.set(step.deviceId, [...before, step]);
      this.dispatchEvent(new CustomEvent("power-off", { detail: step }));
    });
    on("schedules", () => void this.dispatchEvent(new Event("schedules")));
  }

  #replaceAll({ at, devices, clusters, agents, hub }: DataOf<"snapshot">): void {
    this.#setClock(at);
    replaceRows(this.devices, devices);
    replaceRows(this.clusters, clusters);
    replaceRows(this.agents, agents);
    this.hub = hub;
    this.#version ??= hub.version;
    this.isOutdated = this.#version !== hub.version;
    this.#news.clear();
    this.#powerOffs.clear();
    this.dispatchEvent(new Event("schedules")); // whatever changed while nothing was heard
  }

  #remove({ kind, id }: DataOf<"removed">): void {
    const rows = { device: this.devices, cluster: this.clusters, agent: this.agents };
    rows[kind].delete(id);
    this.#news.delete(id);
    this.#powerOffs.delete(id);
  }

  #heard(): void {
    this.#refusals = 0;
    this.#mend();
    this.#heardMs = performance.now();
    this.heardAt = new Date();
    this.connection = "live";
    this.#tell();
  }

  /** It may have ended because the account's rights changed, and then the next try brings it back. */
  #break(): void {
    this.#isBroken = true;
    this.#grace ??= setTimeout(() => this.#setConnection("lost"), GRACE_MS);
  }

  #mend(): void {
    clearTimeout(this.#grace);
    this.#grace = undefined;
    this.#isBroken = false;
  }

  /** What is shown is old already. */
  #lose(): void {
    this.#isBroken = true;
    this.#setConnection("lost");
    this.#reconnect();
  }

  #setClock(at: string): void {
    this.#clockAheadMs = Date.now() - Date.parse(at);
  }

  #setConnection(connection: Connection): void {
    if (this.connection === connection) return;
    this.connection = connection;
    this.#tell();
  }

  #tell(): void {
    this.dispatchEvent(new Event("change"));
  }

  /** A laptop that slept, a phone that changed its network: the browser may take minutes to see it, the silence shows at once. */
  readonly #noticeSilence = (): void => {
    if (document.hidden || performance.now() - this.#heardMs < SILENCE_MS) return;
    this.#lose();
  };

  /**
   * A page that nobody looks at gives its connection back after a while: without TLS a browser has six for all tabs of a hub,
   * and the seventh would wait for ever.
   */
  readonly #visibilityChanged = (): void => {
    clearTimeout(this.#rest);
    if (document.hidden) this.#rest = setTimeout(() => this.#source?.close(), REST_MS);
    else if (this.#source?.readyState === EventSource.CLOSED && this.#retry === undefined) this.#lose();
    else this.#noticeSilence();
  };

  readonly #reconnect = (): void => {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#connect();
  };

  #retryLater(): void {
    this.#retry ??= setTimeout(this.#reconnect, RETRY_MS[Math.min(this.#refusals++, RETRY_MS.length - 1)]);
  }
}

function openEvents(): EventSource {
  const site = chosenSite();
  return new EventSource(hrefOf(`/api/events${site === null ? "" : `?site=${encodeURIComponent(site)}`}`));
}

function replaceRows<Row extends { id: string }>(kept: Map<string, Row>, rows: readonly Row[]): void {
  kept.clear();
  for (const row of rows) kept.set(row.id, row);
}
