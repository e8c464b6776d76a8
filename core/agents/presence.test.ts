import { beforeEach, describe, expect, test } from "vitest";
import { Heartbeat } from "#contracts/agent.ts";
import { Presence } from "./presence.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const beat = Heartbeat.parse({
  at: at(0).toISOString(),
  sequence: 1,
  startedAt: at(0).toISOString(),
  version: "1",
  load1: null,
  memoryUsedPercent: null,
  diskUsedPercent: null,
  temperatureC: null,
  clockOffsetMs: null,
});

describe("the presence of an agent", () => {
  let presence: Presence;
  let told: string[];

  beforeEach(() => {
    presence = new Presence();
    told = [];
    presence.onChange((id, status) => told.push(`${id} ${status}`));
  });

  test("is unknown and counts as offline until it is heard of", () => {
    expect(presence.of("pi")).toBeUndefined();
    expect(presence.isOnline("pi")).toBe(false);
    expect(presence.onlineCount).toBe(0);
  });

  test("changes with its status, and is told only when it changes", () => {
    presence.setStatus("pi", "online", at(1));
    presence.setStatus("pi", "online", at(2));
    expect(presence.of("pi")).toMatchObject({ status: "online", since: at(1), lastSeenAt: at(2) });
    presence.setStatus("pi", "offline", at(3));
    expect(presence.of("pi")).toMatchObject({ status: "offline", since: at(3) });
    expect(told).toEqual(["pi online", "pi offline"]);
    expect(presence.onlineCount).toBe(0);
  });

  test("that is offline from the first was never online, so nothing changed", () => {
    presence.setStatus("pi", "offline", at(1));
    expect(told).toEqual([]);
    expect(presence.of("pi")).toMatchObject({ status: "offline" });
    presence.restore("nas", beat, at(0));
    presence.setStatus("nas", "offline", at(1));
    expect(told).toEqual([]);
  });

  test("does not follow from a heartbeat, which may be an old one", () => {
    presence.setHeartbeat("pi", beat, at(1));
    expect(presence.isOnline("pi")).toBe(false);
    presence.setStatus("pi", "online", at(2));
    presence.setHeartbeat("pi", beat, at(3));
    expect(presence.of("pi")).toMatchObject({ status: "online", since: at(2), lastSeenAt: at(3), heartbeat: beat });
    expect(told).toEqual(["pi online"]);
  });

  test("is restored where nothing newer is known", () => {
    presence.setStatus("pi", "online", at(1));
    presence.restore("pi", beat, at(0));
    expect(presence.of("pi")).toMatchObject({ status: "online", heartbeat: null });
    presence.restore("nas", beat, at(0));
    expect(presence.of("nas")).toMatchObject({ status: "offline", heartbeat: beat, lastSeenAt: at(0) });
  });

  test("is forgotten, and counted no more", () => {
    presence.setStatus("pi", "online", at(1));
    presence.forget("pi");
    presence.forget("pi");
    expect(presence.onlineCount).toBe(0);
    expect(presence.of("pi")).toBeUndefined();
  });
});
