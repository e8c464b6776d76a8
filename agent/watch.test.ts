import { describe, test, type TestContext } from "vitest";
import { topics } from "#contracts/topics.ts";
import { startWatchScene } from "./fixtures/watch-scene.ts";

const WITHIN = { timeout: 8_000 };

/** Tests here mostly wait for the next look, so they run at the same time, each with a scene of its own. */
async function start({ onTestFinished }: TestContext) {
  const scene = await startWatchScene();
  onTestFinished(() => scene.close());
  return scene;
}

describe.concurrent("an agent that watches a device", () => {
  test("sees it up by TCP, and where", async (context) => {
    const { expect } = context;
    const { machineIsUp, watch, device, states, sightings } = await start(context);
    await machineIsUp();
    await watch(1, [device()]);

    await expect.poll(() => states(), WITHIN).toEqual([true]);
    expect(sightings("nas")[0]).toMatchObject({ up: true, how: "tcp", address: "127.0.1.5", mac: null });
  });

  test("says that it is down only after it has looked three times", async (context) => {
    const { expect } = context;
    const { watch, device, states, sightings } = await start(context);
    const startedMs = performance.now();
    await watch(1, [device()]);

    await expect.poll(() => states(), WITHIN).toEqual([false]);
    expect(performance.now() - startedMs).toBeGreaterThan(1_900);
    expect(sightings("nas")[0]).toMatchObject({ how: null, address: null, mac: null });
  });

  test("looks every second after a wake order, whoever sends, and tells at once that it is up", async (context) => {
    const { expect } = context;
    const { watch, device, states, wake } = await start(context);
    await watch(1, [device({ intervalSeconds: 3_600 })]);
    await expect.poll(() => states(), WITHIN).toEqual([false]);
    await wake();
    await expect.poll(() => states(), WITHIN).toEqual([false, true]);
  });

  test("tells again that it is up after a wake order, though it knew", async (context) => {
    const { expect } = context;
    const { machineIsUp, watch, device, states, wake } = await start(context);
    await machineIsUp();
    await watch(1, [device({ intervalSeconds: 3_600 })]);
    await expect.poll(() => states(), WITHIN).toEqual([true]);
    await wake();
    await expect.poll(() => states(), WITHIN).toEqual([true, true]);
  });

  test("sees it go down again", async (context) => {
    const { expect } = context;
    const { machineIsUp, watch, device, states, machine } = await start(context);
    await machineIsUp();
    await watch(1, [device()]);
    await expect.poll(() => states(), WITHIN).toEqual([true]);
    await machine.powerOff();
    await expect.poll(() => states(), WITHIN).toEqual([true, false]);
  });

  test("finds it by its host name", async (context) => {
    const { expect } = context;
    const { hub, watch, device, states } = await start(context);
    const tcpPorts = [Number(new URL(hub.url).port)];
    await watch(1, [device({ address: "localhost", device: "by-name", tcpPorts })]);
    await expect.poll(() => states("by-name"), WITHIN).toEqual([true]);
  });

  test("says nothing of a device without address that no neighbour entry tells of", async (context) => {
    const { expect } = context;
    const { watch, device, states } = await start(context);
    await watch(1, [device({ device: "nowhere", address: null }), device()]);
    await expect.poll(() => states(), WITHIN).toEqual([false]); // three looks
    expect(states("nowhere")).toEqual([]);
  });

  test("begins each connection with all that it knows, in one batch", async (context) => {
    const { expect } = context;
    const { hub, machineIsUp, watch, device, states, batches } = await start(context);
    await machineIsUp();
    await watch(1, [device()]);
    await expect.poll(() => states(), WITHIN).toEqual([true]);
    const before = batches().length;
    hub.broker.cut();

    await expect.poll(() => batches().length, WITHIN).toBeGreaterThan(before);
    expect(batches()[before]).toMatchObject({ full: true, sightings: [{ device: "nas", up: true }] });
  });
});

describe.concurrent("a watch list", () => {
  test("takes the place of an older one, and not of a newer one", async (context) => {
    const { expect } = context;
    const { machineIsUp, watch, device, states, log } = await start(context);
    await machineIsUp();
    await watch(2, [device({ device: "newer" })]);
    await expect.poll(() => states("newer"), WITHIN).toEqual([true]);
    await watch(1, [device({ device: "older" })]);
    await expect
      .poll(() => log.lines.map(({ message }) => message))
      .toContain("A watch list older than the last was ignored");
    await watch(3, [device({ device: "newest" })]);
    await expect.poll(() => states("newest"), WITHIN).toEqual([true]);
    expect(states("older")).toEqual([]);
  });

  test("of a hub whose clock was set back is taken from the next connection on", async (context) => {
    const { expect } = context;
    const { hub, machineIsUp, watch, device, states, log } = await start(context);
    await machineIsUp();
    await watch(2_000, [device({ device: "before" })]);
    await expect.poll(() => states("before"), WITHIN).toEqual([true]);
    hub.broker.cut();
    await watch(1_000, [device({ device: "after" })]); // retained, so it is there when the agent is back
    await expect.poll(() => states("after"), WITHIN).toEqual([true]);
    expect(log.lines.filter(({ message }) => message.startsWith("A watch list"))).toEqual([]);
  });

  test.for([
    ["after it said that it is online", ["offline", "online"], []],
    ["before it said that it is online", ["offline"], ["online"]],
  ] as const)("of a hub that starts again with an earlier clock is taken, %s", async ([, before, after], context) => {
    const { expect } = context;
    const { hub, machineIsUp, watch, device, states } = await start(context);
    const hubSays = (status: string) => hub.broker.publish(topics.hubStatus.name, status, true);
    await machineIsUp();
    await watch(2_000, [device({ device: "before" })]);
    await expect.poll(() => states("before"), WITHIN).toEqual([true]);
    for (const status of before) await hubSays(status);
    await watch(1_000, [device({ device: "after" })]);
    for (const status of after) await hubSays(status);
    await expect.poll(() => states("after"), WITHIN).toContain(true);
  });

  test("that is not signed, or is for another agent, is ignored", async (context) => {
    const { expect } = context;
    const { machineIsUp, watch, watchUnsigned, device, states } = await start(context);
    await machineIsUp();
    await watchUnsigned(9);
    await watch(9, [device({ device: "theirs" })], topics.agentWatch.for("nuc"));
    await watch(1, [device()]);
    await expect.poll(() => states(), WITHIN).toEqual([true]);
    expect(states("theirs")).toEqual([]);
  });
});
