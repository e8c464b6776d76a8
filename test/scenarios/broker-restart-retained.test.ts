import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openStoredBrokers, STATUS, type StoredBrokers } from "#test/fixtures/stored-broker.ts";

/** What the embedded broker keeps of retained messages in Postgres, and what does not come back. */

let at: StoredBrokers;
beforeAll(async () => {
  at = await openStoredBrokers();
});
afterEach(() => at.reset());
afterAll(() => at.close());

test("retained messages of clients are there after a kill, what was cleared is not, and the hub's states are left to the hub", async () => {
  const first = await at.start();
  const pi = await first.connect("pi", {});
  await pi.publish(STATUS, "online", { retain: true, properties: { contentType: "text/plain" } });
  await pi.publish("powerbeacon/agent/pi/inventory", "{}", { retain: true });
  await first.hub("powerbeacon/hub/status", "online", { retain: true });
  const ha = await first.connect("ha", {});
  await ha.publish("homeassistant/status", "online", { retain: true });
  await expect.poll(() => at.rows("mqtt_retained")).toBe(3);
  await pi.publish("powerbeacon/agent/pi/inventory", "", { retain: true });
  await expect.poll(() => at.rows("mqtt_retained")).toBe(2);
  first.kill();
  const observer = await (await at.start()).connect();
  await observer.subscribe(["#"]);
  const got = await observer.messages();
  expect(got.map(({ topic }) => topic).toSorted((a, b) => a.localeCompare(b))).toEqual([
    "homeassistant/status",
    STATUS,
  ]);
  expect(got.find(({ topic }) => topic === STATUS)).toMatchObject({
    retain: true,
    qos: 1,
    properties: { contentType: "text/plain" },
  });
});

test("retained messages of an agent that was deleted meanwhile do not come back", async () => {
  const first = await at.start();
  const pi = await first.connect("pi", {});
  await pi.publish(STATUS, "online", { retain: true });
  await expect.poll(() => at.rows("mqtt_retained")).toBe(1);
  first.kill();
  delete at.people["pi"];
  const second = await at.start();
  expect(second.test.broker.figures().retained).toBe(0);
  await expect.poll(() => at.rows("mqtt_retained")).toBe(0);
});

test("retained messages that the hub replaced or cleared do not come back", async () => {
  const first = await at.start();
  const pi = await first.connect("pi", {});
  for (const what of ["status", "inventory"])
    await pi.publish(`powerbeacon/agent/pi/${what}`, "of the agent", { retain: true });
  await expect.poll(() => at.rows("mqtt_retained")).toBe(2);
  await first.hub(STATUS, "of the hub", { retain: true });
  await first.hub("powerbeacon/agent/pi/inventory", "", { retain: true });
  await expect.poll(() => at.rows("mqtt_retained")).toBe(0);
});

test("retained messages whose lifetime is over do not come back", async () => {
  const first = await at.start();
  const pi = await first.connect("pi", {});
  await pi.publish(STATUS, "online", { retain: true, properties: { messageExpiryInterval: 600 } });
  await expect.poll(() => at.rows("mqtt_retained")).toBe(1);
  first.kill();
  await at.query("update mqtt_retained set expires_at = now() - interval '1 second'");
  expect((await at.start()).test.broker.figures().retained).toBe(0);
  await expect.poll(() => at.rows("mqtt_retained")).toBe(0);
});
