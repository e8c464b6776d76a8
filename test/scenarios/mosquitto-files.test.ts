import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EnrolGrant } from "#contracts/enrolment.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { startProcess } from "#test/fixtures/process.ts";
import { enrolBody } from "#test/fixtures/scripted-agent.ts";

/** Mosquitto's files as an operator finds them, and what newcomers are told of a broker that is somebody else's. */

const CA = "-----BEGIN CERTIFICATE-----\nof an authority of the house's own\n-----END CERTIFICATE-----\n";
const folder = mkdtempSync(join(tmpdir(), "powerbeacon-files-"));
const settings = {
  MQTT_URL: "mqtts://127.0.0.1:1", // nobody is there
  MQTT_USERNAME: "powerbeacon-hub",
  MQTT_PASSWORD: "the password of the hub",
  MQTT_CA_FILE: join(folder, "ca.pem"),
};

let hub: TestHub;
const file = (name: string) => join(hub.dataDir, "mosquitto", name);
const read = (name: string) => readFileSync(file(name), "utf8");

beforeAll(async () => {
  writeFileSync(settings.MQTT_CA_FILE, CA);
  hub = await startTestHub(settings);
});

afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true });
});

async function addClient(name: string, permissions = ["read"]) {
  return (await hub.api.post("/mqtt-clients", { name, permissions })).body;
}

async function joinAgent(name: string): Promise<EnrolGrant> {
  const { body: enrolment } = await hub.api.post("/enrolments", {});
  const { body } = await hub.api.post("/agents/enrol", enrolBody(enrolment.code, name));
  return EnrolGrant.parse(decodeJwt(body.grant));
}

/** Runs the command as an operator does. */
async function run(...args: string[]): Promise<{ code: number | null; text: string }> {
  const env = { ...settings, DATA_DIR: hub.dataDir, DATABASE_URL: hub.databaseUrl };
  const command = startProcess("core/powerbeacon.ts", args, env);
  return { code: await command.exit, text: command.lines.join("\n") };
}

test("a hub with a broker of its own writes none", async () => {
  const other = await startTestHub();
  expect(existsSync(join(other.dataDir, "mosquitto"))).toBe(false);
  await other.close();
});

describe("the files in the data folder", () => {
  test("are there from the start, for the hub's user alone", () => {
    expect(read("acl")).toContain("user powerbeacon-hub\ntopic readwrite powerbeacon/#\n");
    expect(read("passwords")).toMatch(/^powerbeacon-hub:\$7\$101\$/m);
    for (const name of ["acl", "passwords"]) expect(statSync(file(name)).mode & 0o777).toBe(0o600);
  });

  test("follow who comes, changes and goes", async () => {
    const client = await addClient("Node Red");
    await expect.poll(() => read("passwords")).toMatch(/^node-red:\$7\$/m);
    expect(read("acl")).toMatch(/^user node-red$/m);
    expect(read("acl")).not.toContain("topic write powerbeacon/cluster/+/wake");
    await hub.api.patch(`/mqtt-clients/${client.id}`, { permissions: ["wake"] });
    await expect.poll(() => read("acl")).toContain("topic write powerbeacon/cluster/+/wake");
    await hub.api.delete(`/mqtt-clients/${client.id}`);
    await expect.poll(() => read("passwords")).not.toContain("node-red");
    expect(read("acl")).not.toContain("node-red");

    const { username, agentId } = await joinAgent("Pi");
    await expect.poll(() => read("acl")).toContain("topic write powerbeacon/agent/pi/receipt");
    expect(read("passwords")).toMatch(new RegExp(`^${username}:\\$7\\$`, "m"));
    await hub.api.delete(`/agents/${agentId}`);
    await expect.poll(() => read("acl")).not.toContain("agent/pi/");
  });

  test("follow a second site: nobody reaches everything any more", async () => {
    await addClient("Tablet");
    await expect.poll(() => read("acl")).toContain("topic read powerbeacon/device/+/state");
    await hub.api.post("/sites", { name: "Shop" });
    await expect.poll(() => read("acl")).not.toContain("topic read powerbeacon/device/+/state");
    expect(read("acl")).toContain("topic read powerbeacon/cluster/unassigned/state");
  });

  test("are left as they are by a restart, and never tell a password", async () => {
    const client = await addClient("Script");
    await expect.poll(() => read("passwords")).toContain("script:");
    const before = ["acl", "passwords"].map((name) => [read(name), statSync(file(name)).ino]);
    await hub.restart();
    expect(["acl", "passwords"].map((name) => [read(name), statSync(file(name)).ino])).toEqual(before);
    for (const secret of [settings.MQTT_PASSWORD, client.password]) expect(String(before)).not.toContain(secret);
  });

  test("have no place for a client with the hub's own name", async () => {
    expect((await addClient("PowerBeacon Hub")).username).toBe("powerbeacon-hub-2");
  });
});

describe("the command mqtt", () => {
  test("writes what the hub writes, while it runs and while it does not", async () => {
    await addClient("Kiosk");
    await expect.poll(() => read("passwords")).toContain("kiosk:");
    expect(await run("mqtt", "acl")).toEqual({ code: 0, text: read("acl").trimEnd() });
    await hub.hub.close();
    expect(await run("mqtt", "passwords", "--into", folder)).toEqual({ code: 0, text: "" });
    expect(readFileSync(join(folder, "passwords"), "utf8")).toBe(read("passwords"));
    expect(statSync(join(folder, "passwords")).mode & 0o777).toBe(0o600);
    await hub.restart();
  });

  test("tells of credentials that are older than the file what to do", async () => {
    await joinAgent("Veteran");
    await addClient("Old Timer");
    await query(hub.databaseUrl, "update agent set mosquitto_hash = null where key = 'veteran'");
    await query(hub.databaseUrl, "update mqtt_client set mosquitto_hash = null where username = 'old-timer'");
    const { text } = await run("mqtt", "passwords");
    expect(text).toMatch(/^# \S+ has no password here.*\(agent veteran\): let it join again, with --replace$/m);
    expect(text).toMatch(/^# old-timer has no password here.*: make another MQTT client in its place$/m);
  });

  test("says in one sentence what it cannot do", async () => {
    expect(await run("mqtt", "acl", "--into", "/nowhere")).toEqual({
      code: 1,
      text: "The folder /nowhere cannot be written (ENOENT).",
    });
    expect((await run("recover", "--into", folder)).text).toContain("--into belongs to mqtt.");
  });
});

describe("newcomers are told of the broker", () => {
  test("by its own address, and of who signed its certificate", async () => {
    expect(await joinAgent("Told")).toMatchObject({ mqttUrl: settings.MQTT_URL, mqttCa: CA });
    expect(await addClient("Told Too")).toMatchObject({ mqttUrl: settings.MQTT_URL, baseTopic: "powerbeacon" });
  });

  test("by the address that is meant for others, where there is one", async () => {
    const MQTT_PUBLIC_URL = "wss://mqtt.example.org/mqtt";
    await hub.restart({ MQTT_PUBLIC_URL });
    expect(await joinAgent("Outside")).toMatchObject({ mqttUrl: MQTT_PUBLIC_URL, mqttCa: CA });
    expect(await addClient("Outside Too")).toMatchObject({ mqttUrl: MQTT_PUBLIC_URL });
  });
});
