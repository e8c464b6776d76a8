import { afterEach, beforeEach, expect, test } from "vitest";
import type { Heartbeat } from "#contracts/agent.ts";
import { type HeartbeatWatch, watchHeartbeats } from "./heartbeat-watch.ts";
import { Presence } from "./presence.ts";

let presence: Presence;
let watch: HeartbeatWatch;

const heartbeat = (sequence: number): Heartbeat => ({
  at: "2026-11-21T10:00:00.000Z",
  sequence,
  startedAt: "2026-11-21T09:00:00.000Z",
  version: "1.0.0",
  load1: 0,
  memoryUsedPercent: 0,
  diskUsedPercent: 0,
  temperatureC: null,
  clockOffsetMs: null,
});

beforeEach(() => {
  presence = new Presence();
  watch = watchHeartbeats(presence, 300);
  watch.connected();
});

afterEach(() => watch.close());

const isOnline = () => presence.isOnline("pi");

test("an agent whose broker kept `online` counts as offline when it stays silent", async () => {
  watch.status("pi", "online");
  watch.heartbeat("pi", heartbeat(7)); // retained, of any age
  expect(isOnline()).toBe(true);
  await expect.poll(isOnline, { timeout: 5_000 }).toBe(false);
});

test("an agent that was doubted is back with its next heartbeat, and goes on by them", async () => {
  watch.status("pi", "online");
  watch.heartbeat("pi", heartbeat(7));
  await expect.poll(isOnline, { timeout: 5_000 }).toBe(false);
  watch.heartbeat("pi", heartbeat(7));
  expect(isOnline()).toBe(false);
  watch.heartbeat("pi", heartbeat(8));
  expect(isOnline()).toBe(true);
});

test("an agent that says offline is believed, whatever heartbeat comes after", () => {
  watch.status("pi", "online");
  watch.heartbeat("pi", heartbeat(7));
  watch.status("pi", "offline");
  watch.heartbeat("pi", heartbeat(8));
  expect(isOnline()).toBe(false);
});

test("one that was online before the broker broke gets its time anew at the next connect", async () => {
  watch.status("pi", "online");
  watch.broken();
  watch.connected();
  expect(isOnline()).toBe(true);
  await expect.poll(isOnline, { timeout: 5_000 }).toBe(false);
});
