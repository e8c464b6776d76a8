import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import { ADMIN, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub({ HTTP_HOST: "0.0.0.0", TRUST_PROXY: "127.0.0.1" });
});

afterAll(() => hub.close());

async function read(headers: Record<string, string> = {}, url = hub.url): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${url}/metrics`, { headers });
  return { status: answer.status, text: await answer.text() };
}

/** Each sample by its name and labels. */
async function figures(): Promise<Record<string, number>> {
  const { text } = await read();
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(samples.map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
}

describe("the figures", () => {
  test("follow Prometheus' text format", async () => {
    const answer = await fetch(`${hub.url}/metrics`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await answer.text();
    expect(text).toMatch(
      /^# HELP powerbeacon_info .+\n# TYPE powerbeacon_info gauge\npowerbeacon_info\{version="[\d.]+"\} 1\n/,
    );
    for (const line of text.split("\n").slice(0, -1))
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]+"\})? [\d.e+-]+)$/);
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("count devices, agents, log-ins and rows of the audit log", async () => {
    const before = await figures();
    await hub.api.post("/devices", { name: "NAS", mac: freshMac() });
    const agent = await startScriptedAgent(hub, { name: "Pi" });
    await createApi(hub.url).logIn(ADMIN);
    await expect.poll(async () => (await figures())["powerbeacon_agents_online"]).toBe(1);
    const after = await figures();
    expect(after).toMatchObject({
      powerbeacon_database_up: 1,
      powerbeacon_audit_up: 1,
      powerbeacon_audit_rows_lost_total: 0,
      powerbeacon_audit_refused_changes_total: 0,
      'powerbeacon_devices{power="unknown"}': 1,
      'powerbeacon_devices{power="on"}': 0,
      powerbeacon_agents: 1,
      powerbeacon_wakes_running: 0,
      powerbeacon_mqtt_clients: 2, // the hub itself, and the agent
      powerbeacon_mqtt_sessions_away: 0,
      powerbeacon_mqtt_dropped_clients_total: 0,
    });
    expect(after["powerbeacon_sessions"]).toBe((before["powerbeacon_sessions"] ?? 0) + 1);
    expect(after["powerbeacon_audit_rows_written_total"]).toBeGreaterThan(
      before["powerbeacon_audit_rows_written_total"] ?? 0,
    );
    for (const name of ["process_resident_memory_bytes", "process_cpu_seconds_total", "nodejs_eventloop_lag_seconds"])
      expect(after[name]).toBeGreaterThan(0);
    await agent.close();
  });

  test("tell of an audit log that cannot be written", async () => {
    await query(hub.databaseUrl, "alter function audit_append(jsonb) rename to audit_append_gone");
    expect((await hub.api.post("/devices", { name: "PC", mac: freshMac() })).status).toBe(503);
    expect(await figures()).toMatchObject({ powerbeacon_audit_up: 0, powerbeacon_audit_refused_changes_total: 1 });
    await query(hub.databaseUrl, "alter function audit_append_gone(jsonb) rename to audit_append");
    expect((await hub.api.post("/devices", { name: "PC", mac: freshMac() })).status).toBe(201);
    expect(await figures()).toMatchObject({ powerbeacon_audit_up: 1, powerbeacon_audit_refused_changes_total: 1 });
  });
});

describe("the figures are read", () => {
  const bearer = (token: string | null) => ({ authorization: `Bearer ${token}` });

  test("by programs on the same machine, and not through a proxy there", async () => {
    expect((await read()).status).toBe(200);
    for (const header of ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
      expect((await read({ [header]: "127.0.0.1" })).status).toBe(401);
  });

  test("from elsewhere with a session or a token that may read the audit log", async ({ skip }) => {
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const own = addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
    skip(own === undefined, "this machine has no address but those of loopback");
    const url = hub.url.replace("127.0.0.1", own ?? "");
    const token = async (permissions: string[]) =>
      (await hub.api.post("/tokens", { name: "Prometheus", permissions })).body.token as string;
    expect(await read({}, url)).toMatchObject({ status: 401, text: expect.stringContaining("UNAUTHENTICATED") });
    expect((await read({ "x-forwarded-for": "127.0.0.1" }, url)).status).toBe(401);
    expect((await read(bearer("pb_nonsense"), url)).status).toBe(401);
    expect((await read(bearer(await token(["device:read"])), url)).status).toBe(403);
    expect((await read(bearer(await token(["audit:read"])), url)).status).toBe(200);
    expect((await read(bearer(hub.api.token), url)).status).toBe(200);
  });
});
