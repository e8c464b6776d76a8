import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { HUB_INFO, NOW, NOW_MS, agent, cluster, device, freshId } from "../fixtures/rows.ts";
import { ScriptedStream } from "../fixtures/scripted-stream.ts";
import { LiveStore, type WakeNews } from "./live-store.ts";

beforeEach(() => {
  vi.useFakeTimers({
    now: NOW,
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });
  onTestFinished(() => void vi.useRealTimers());
});

function startStore() {
  const streams: ScriptedStream[] = [];
  const doubts: Date[] = [];
  const store = new LiveStore({
    open: () => {
      const stream = new ScriptedStream();
      streams.push(stream);
      return stream.source;
    },
    onDoubt: () => void doubts.push(new Date()),
  });
  let changes = 0;
  let returns = 0;
  store.addEventListener("change", () => changes++);
  store.addEventListener("back", () => returns++);
  store.start();
  onTestFinished(() => store.close());
  return {
    store,
    streams,
    doubts,
    /** The stream that the store listens to. */
    stream: () => {
      const stream = streams.at(-1);
      if (!stream) throw new Error("no stream is open");
      return stream;
    },
    changes: () => changes,
    returns: () => returns,
  };
}

const nas = device({ name: "NAS" });
const box = device({ name: "Box" });
const home = cluster({ name: "Home" });
const pi = agent({ name: "Pi" });

function snapshot(
  rows: { devices?: (typeof nas)[]; clusters?: (typeof home)[]; agents?: (typeof pi)[] } = {},
  at = new Date(),
) {
  const { devices = [], clusters = [], agents = [] } = rows;
  return { event: "snapshot", data: { at: at.toISOString(), devices, clusters, agents, hub: HUB_INFO } } as const;
}

const ping = (at = new Date()) => ({ event: "ping", data: { at: at.toISOString() } }) as const;

const wakeOf = (deviceId: string): WakeNews => ({
  wake: freshId(),
  deviceId,
  stage: "accepted",
  at: NOW.toISOString(),
  agents: [],
});

describe("a stream that is open again after a break", () => {
  test("is told of, one that opens for the first time is not", () => {
    const { stream, returns } = startStore();
    stream().opens();
    stream().send(snapshot());
    expect(returns()).toBe(0);
    stream().breaks();
    stream().opens();
    expect(returns()).toBe(1);
    stream().opens();
    expect(returns()).toBe(1);
  });

  test("lets doubt the session as it breaks, once however often the browser tries, and as it is back", () => {
    const { stream, doubts } = startStore();
    stream().opens();
    stream().send(snapshot());
    expect(doubts).toHaveLength(0);
    stream().breaks();
    stream().breaks();
    expect(doubts).toHaveLength(1);
    stream().opens();
    expect(doubts).toHaveLength(2);
  });

  test("within moments was never missed", () => {
    const { store, stream, changes } = startStore();
    stream().send(snapshot());
    const before = changes();
    stream().breaks();
    vi.advanceTimersByTime(5_000);
    stream().opens();
    vi.advanceTimersByTime(5_000);
    expect(store.connection).toBe("live");
    expect(changes()).toBe(before);
  });
});

describe("what the hub sends", () => {
  test("is awaited first, then live from the snapshot on", () => {
    const { store, stream } = startStore();
    expect([store.connection, store.heardAt, store.hub]).toEqual(["connecting", undefined, undefined]);
    stream().opens();
    expect(store.connection).toBe("connecting");
    stream().send(snapshot({ devices: [nas], clusters: [home], agents: [pi] }));
    expect(store).toMatchObject({ connection: "live", heardAt: NOW, hub: HUB_INFO });
    expect([...store.devices.values()]).toEqual([nas]);
    expect([...store.clusters.values()]).toEqual([home]);
    expect([...store.agents.values()]).toEqual([pi]);
  });

  test("replaces the row that changed, and leaves every other as it is", () => {
    const { store, stream, changes } = startStore();
    stream().send(snapshot({ devices: [nas, box] }));
    const [nasBefore, boxBefore] = [store.devices.get(nas.id), store.devices.get(box.id)];
    const before = changes();
    stream().send({ event: "device", data: { ...nas, power: "on" } });
    expect(store.devices.get(nas.id)).not.toBe(nasBefore);
    expect(store.devices.get(nas.id)).toMatchObject({ name: "NAS", power: "on" });
    expect(nasBefore?.power).toBe("off");
    expect(store.devices.get(box.id)).toBe(boxBefore);
    expect(changes()).toBe(before + 1);
  });

  test.each([
    ["device", nas, "devices"],
    ["cluster", home, "clusters"],
    ["agent", pi, "agents"],
  ] as const)("adds a new %s, changes it and removes it", (kind, row, rows) => {
    const { store, stream } = startStore();
    stream().send(snapshot());
    const send = (data: typeof row) => stream().dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) }));
    send(row);
    send({ ...row, name: "Renamed" });
    expect([...store[rows].values()].map(({ name }) => name)).toEqual(["Renamed"]);
    stream().send({ event: "removed", data: { kind, id: row.id } });
    expect([...store[rows].values()]).toEqual([]);
  });

  test("about the hub itself is kept", () => {
    const { store, stream } = startStore();
    stream().send(snapshot());
    stream().send({ event: "hub", data: { ...HUB_INFO, database: "unavailable" } });
    expect(store.hub?.database).toBe("unavailable");
  });

  test("about a wake is told at once, and the newest is kept until its device goes", () => {
    const { store, stream } = startStore();
    const told: unknown[] = [];
    store.addEventListener("wake", (event) => told.push((event as CustomEvent).detail));
    stream().send(snapshot({ devices: [nas] }));
    const [first, second] = [wakeOf(nas.id), wakeOf(nas.id)];
    stream().send({ event: "wake", data: first });
    stream().send({ event: "wake", data: second });
    expect(told).toEqual([first, second]);
    expect(store.newsOf(nas.id)).toEqual(second);
    expect(store.newsOf(box.id)).toBeUndefined();
    stream().send({ event: "removed", data: { kind: "device", id: nas.id } });
    expect(store.newsOf(nas.id)).toBeUndefined();
  });
});

describe("a connection that breaks", () => {
  test("is said after moments, with what is known and since when, until the stream is open again", () => {
    const { store, stream } = startStore();
    stream().send(snapshot({ devices: [nas] }));
    vi.advanceTimersByTime(4_000);
    stream().breaks();
    vi.advanceTimersByTime(6_999);
    expect(store.connection).toBe("live");
    vi.advanceTimersByTime(1);
    expect(store).toMatchObject({ connection: "lost", heardAt: NOW });
    expect(store.devices.get(nas.id)).toEqual(nas);
    stream().opens();
    expect(store.connection).toBe("live");
  });

  test("leaves no ghost when a new snapshot comes", () => {
    const { store, stream } = startStore();
    stream().send(snapshot({ devices: [nas, box], clusters: [home], agents: [pi] }));
    stream().send({ event: "wake", data: wakeOf(nas.id) });
    stream().breaks();
    stream().opens();
    stream().send(snapshot({ devices: [nas] }));
    expect([...store.devices.keys()]).toEqual([nas.id]);
    expect([store.clusters.size, store.agents.size]).toEqual([0, 0]);
    expect(store.newsOf(nas.id)).toBeUndefined();
  });

  test("is said as soon as the first try to be back fails", () => {
    const { store, stream } = startStore();
    stream().send(snapshot());
    stream().breaks();
    expect(store.connection).toBe("live");
    stream().breaks();
    expect(store.connection).toBe("lost");
  });

  test("is said once, however often the browser tries", () => {
    const { stream, changes } = startStore();
    stream().send(snapshot());
    const before = changes();
    for (let attempt = 0; attempt < 5; attempt++) {
      stream().breaks();
      vi.advanceTimersByTime(3_000);
    }
    expect(changes()).toBe(before + 1);
  });

  test("without a word is seen by the silence, and a new one is opened until one speaks", () => {
    const { store, streams, stream } = startStore();
    stream().send(snapshot());
    vi.advanceTimersByTime(34_000);
    expect(store.connection).toBe("live");
    vi.advanceTimersByTime(2_000);
    expect(store.connection).toBe("lost");
    expect(streams).toHaveLength(2);
    expect(streams[0]?.readyState).toBe(EventSource.CLOSED);
    vi.advanceTimersByTime(36_000);
    expect(streams).toHaveLength(3);
    stream().send(snapshot());
    expect(store.connection).toBe("live");
  });

  test("is no silence as long as the hub pings", () => {
    const { store, streams, stream } = startStore();
    stream().send(snapshot());
    for (let pings = 0; pings < 10; pings++) {
      vi.advanceTimersByTime(15_000);
      stream().send(ping());
    }
    expect(store.connection).toBe("live");
    expect(streams).toHaveLength(1);
  });

  test("while the tab is hidden is looked at in the moment when somebody looks", () => {
    const { store, streams, stream } = startStore();
    stream().send(snapshot());
    const hide = (isHidden: boolean) => {
      vi.spyOn(document, "hidden", "get").mockReturnValue(isHidden);
      document.dispatchEvent(new Event("visibilitychange"));
    };
    onTestFinished(() => void vi.restoreAllMocks());
    hide(true);
    vi.advanceTimersByTime(600_000);
    expect(streams).toHaveLength(1);
    hide(false);
    expect(store.connection).toBe("lost");
    expect(streams).toHaveLength(2);
  });

  test("is given back by a tab that nobody looks at for a minute, and kept by one that is hidden for moments", () => {
    const { streams, stream } = startStore();
    stream().send(snapshot());
    const hide = (isHidden: boolean) => {
      vi.spyOn(document, "hidden", "get").mockReturnValue(isHidden);
      document.dispatchEvent(new Event("visibilitychange"));
    };
    onTestFinished(() => void vi.restoreAllMocks());
    hide(true);
    vi.advanceTimersByTime(20_000);
    hide(false);
    expect(streams).toHaveLength(1);
    hide(true);
    vi.advanceTimersByTime(61_000);
    expect(stream().readyState).toBe(EventSource.CLOSED);
  });

  test("that is refused at first is not live before something was heard", () => {
    const { store, stream } = startStore();
    stream().breaks();
    stream().opens();
    expect(store.connection).toBe("lost");
    stream().send(snapshot());
    expect(store.connection).toBe("live");
  });

  test("of a hub with another version than the page's is told", () => {
    const { store, stream } = startStore();
    stream().send(snapshot());
    expect(store.isOutdated).toBe(false);
    const { event, data } = snapshot();
    stream().send({ event, data: { ...data, hub: { ...data.hub, version: "99.0.0" } } });
    expect(store.isOutdated).toBe(true);
  });

  test("is opened anew at once when the machine has a network again", () => {
    const { streams, stream } = startStore();
    stream().send(snapshot());
    stream().breaks();
    globalThis.dispatchEvent(new Event("online"));
    expect(streams).toHaveLength(2);
  });

  test("has nothing to say any more once it was replaced", () => {
    const { store, streams, stream } = startStore();
    stream().send(snapshot({ devices: [nas] }));
    globalThis.dispatchEvent(new Event("online"));
    stream().send(snapshot({ devices: [nas] }));
    streams[0]?.send(snapshot());
    streams[0]?.breaks();
    expect(store.devices.size).toBe(1);
    expect(store.connection).toBe("live");
  });
});

describe("a stream that is refused", () => {
  test("is told, and tried again with pauses that grow to ten seconds", () => {
    const { store, streams, doubts, stream } = startStore();
    const pauses = [1_000, 2_000, 5_000, 10_000, 10_000];
    for (const [index, pauseMs] of pauses.entries()) {
      stream().isRefused();
      expect(store.connection).toBe("lost");
      expect(doubts).toHaveLength(index + 1);
      vi.advanceTimersByTime(pauseMs - 1);
      expect(streams).toHaveLength(index + 1);
      vi.advanceTimersByTime(1);
      expect(streams).toHaveLength(index + 2);
    }
  });

  test("is tried again soon once the hub was heard between", () => {
    const { streams, stream } = startStore();
    for (const pauseMs of [1_000, 2_000, 5_000]) {
      stream().isRefused();
      vi.advanceTimersByTime(pauseMs);
    }
    stream().send(snapshot());
    stream().isRefused();
    vi.advanceTimersByTime(1_000);
    expect(streams).toHaveLength(5);
  });

  test("is tried again in a store that was closed while it waited, and started anew", () => {
    const { store, streams, stream } = startStore();
    stream().isRefused();
    store.close();
    store.start();
    expect(streams).toHaveLength(2);
    stream().isRefused();
    vi.advanceTimersByTime(10_000);
    expect(streams.length).toBeGreaterThan(2);
  });
});

describe("the hub's clock", () => {
  test.each([
    ["is as ours where nothing was heard", undefined, 0],
    ["may be ahead of ours", NOW_MS + 90_000, 90_000],
    ["may be behind ours", NOW_MS - 3_600_000, -3_600_000],
  ])("%s", (_what, hubMs, aheadMs) => {
    const { store, stream } = startStore();
    if (hubMs !== undefined) stream().send(snapshot({}, new Date(hubMs)));
    vi.advanceTimersByTime(5_000);
    expect(store.nowMs()).toBe(NOW_MS + 5_000 + aheadMs);
  });

  test("is set right by each ping, as when our own clock was set", () => {
    const { store, stream } = startStore();
    stream().send(snapshot());
    vi.setSystemTime(NOW_MS - 86_400_000);
    stream().send(ping(new Date(NOW_MS + 1_000)));
    expect(store.nowMs()).toBe(NOW_MS + 1_000);
  });
});

describe("a store that is closed", () => {
  test("has closed its stream, left no timer, and hears nothing", () => {
    const { store, streams, stream, changes } = startStore();
    stream().send(snapshot());
    stream().isRefused();
    store.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(stream().readyState).toBe(EventSource.CLOSED);
    const before = changes();
    globalThis.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
    vi.advanceTimersByTime(60_000);
    expect(streams).toHaveLength(1);
    expect(changes()).toBe(before);
  });

  test("starts anew, and starting twice is starting once", () => {
    const { store, streams } = startStore();
    store.start();
    expect(streams).toHaveLength(1);
    store.close();
    store.start();
    expect(streams).toHaveLength(2);
  });
});

describe("what is heard of power and schedules", () => {
  test("is each step of a device's newest power-off, until a snapshot or its removal", () => {
    const { store, stream } = startStore();
    const [first, second] = [freshId(), freshId()];
    const step = (powerOff: string) => ({ powerOff, deviceId: nas.id, stage: "sent", at: NOW.toISOString() }) as const;
    stream().send(snapshot({ devices: [nas] }));
    stream().send({ event: "power-off", data: step(first) });
    stream().send({ event: "power-off", data: { ...step(first), stage: "acknowledged" } });
    expect(store.stepsOf(nas.id).map(({ stage }) => stage)).toEqual(["sent", "acknowledged"]);
    stream().send({ event: "power-off", data: step(second) });
    expect(store.stepsOf(nas.id)).toEqual([step(second)]);
    stream().send({ event: "removed", data: { kind: "device", id: nas.id } });
    expect(store.stepsOf(nas.id)).toEqual([]);
  });

  test("is that schedules changed, also whenever something may have been missed", () => {
    const { store, stream } = startStore();
    let times = 0;
    store.addEventListener("schedules", () => times++);
    stream().send(snapshot());
    stream().send({ event: "schedules", data: { at: NOW.toISOString() } });
    expect(times).toBe(2);
  });
});
