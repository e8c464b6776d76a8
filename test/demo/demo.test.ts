import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { type RunningProcess, startProcess } from "#test/fixtures/process.ts";

/** `npm run demo` as a person meets it: only what it prints is known. */

const temporary = mkdtempSync(join(tmpdir(), "powerbeacon-demo-test-"));
chmodSync(temporary, 0o755);

let demo: RunningProcess;
beforeAll(() => startDemo());
afterAll(async () => {
  await demo.end("SIGTERM");
  rmSync(temporary, { recursive: true, force: true });
});

/** A demo that has told all that it tells. */
async function startDemo(): Promise<void> {
  demo = startProcess("test/demo/main.ts", [], { TMPDIR: temporary });
  await demo.line(/Ctrl-C ends it/);
}

async function printed(pattern: RegExp): Promise<string> {
  return (await demo.line(pattern))[1] ?? "";
}

/** The API as the page calls it, with the cookie that the printed address gives a browser. */
async function openPage() {
  const answer = await fetch(await printed(/Open (\S+)/), { redirect: "manual" });
  const url = answer.headers.get("location")?.replace(/\/$/, "") ?? "";
  const [cookie = ""] = answer.headers.getSetCookie().map((line) => line.split(";")[0]);
  const headers = { cookie, "x-powerbeacon": "1" };
  const api = createApi(url);
  return {
    url,
    headers,
    get: async (path: string) => (await api.get(path, headers)).body,
    post: async (path: string, body?: unknown) => (await api.post(path, body, headers)).body,
  };
}

describe("the demo", () => {
  test("opens the page logged in, at the very host that its cookie is for", async () => {
    const page = await openPage();
    expect(page.url).toBe(await printed(/hub +(\S+)/));
    expect(await page.get("/auth/me")).toMatchObject({ username: "demo", role: "superuser" });
    const byAnotherName = (await printed(/Open (\S+)/)).replace("127.0.0.1", "localhost");
    expect((await fetch(byAnotherName, { redirect: "manual" })).headers.getSetCookie()).toEqual([]);
  });

  test("lets people in again and again, also after they have logged out", async () => {
    const first = await openPage();
    expect((await openPage()).headers).toEqual(first.headers);
    await first.post("/auth/logout");
    expect(await (await openPage()).get("/auth/me")).toMatchObject({ username: "demo" });
  });

  test("has six devices, agents at work and the wakes of some days", async () => {
    const page = await openPage();
    const { items: devices } = await page.get("/devices");
    expect(devices).toHaveLength(6);
    const online = async () =>
      (await page.get("/agents")).items
        .filter(({ status }: { status: string }) => status === "online")
        .map(({ name }: { name: string }) => name);
    await expect.poll(online).toEqual(["NAS agent", "Office gateway", "Proxmox agent", "Raspberry Pi"]);
    const { items: wakes } = await page.get("/wakes");
    const outcomes = new Set(wakes.map(({ stage }: { stage: string }) => stage));
    expect(outcomes).toEqual(new Set(["awake", "no-answer", "failed"]));
    expect(wakes.find(({ stage }: { stage: string }) => stage === "awake")).toMatchObject({
      seconds: expect.any(Number),
      evidence: { by: expect.any(String), how: "tcp" },
    });
    for (const { lastWake } of devices) expect(lastWake).not.toBeNull();
  });

  test("wakes a machine that is off, by the second burst where the first is lost", async () => {
    const page = await openPage();
    const { items } = await page.get("/devices?q=Backup");
    await expect.poll(async () => (await page.get(`/devices/${items[0].id}`)).power, { timeout: 10_000 }).toBe("off");
    const answer = await page.post(`/devices/${items[0].id}/wake?wait=15`);
    expect(answer).toMatchObject({ stage: "awake" });
    expect(answer.seconds).toBeGreaterThan(4); // it boots in 3 s, and the second burst comes 2 s after the first
    expect((await page.get(`/devices/${items[0].id}`)).power).toBe("on");
  });

  test("powers a machine off by the agent on it, and not one that is held on", async () => {
    const page = await openPage();
    const idOf = async (name: string) => (await page.get(`/devices?q=${name}`)).items[0].id;
    const nas = await idOf("NAS");
    await expect.poll(async () => (await page.get(`/devices/${nas}`)).canPowerOff, { timeout: 10_000 }).toBe(true);
    expect(await page.post(`/devices/${nas}/power?wait=60`, { action: "off" })).toMatchObject({ stage: "off" });
    expect((await page.get(`/devices/${nas}`)).power).toBe("off");
    const refused = await page.post(`/devices/${await idOf("Proxmox")}/power`, { action: "off" });
    expect(refused).toMatchObject({ code: "LEASED" });
  }, 60_000);

  test("has a schedule that woke a machine each night", async () => {
    const page = await openPage();
    const [schedule] = (await page.get("/schedules")).items;
    expect(schedule).toMatchObject({ name: "Nightly backup", nextAt: expect.any(String), lastRun: { outcome: "ran" } });
    expect((await page.get(`/schedules/${schedule.id}/runs`)).total).toBeGreaterThan(5); // one more from three in the morning on
  });

  test("leaves nothing behind when it is ended", async () => {
    const postgres = postgresPid();
    expect(isAlive(postgres)).toBe(true);
    expect(await demo.end("SIGTERM")).toBe(0);
    await expect.poll(() => isAlive(postgres)).toBe(false); // its number stays until the system has taken note
    expect(readdirSync(temporary)).toEqual([]);
    expect(demo.lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  });

  test("leaves nothing behind when it is killed", async () => {
    await startDemo();
    const postgres = postgresPid();
    demo.child.kill("SIGKILL");
    await expect.poll(() => isAlive(postgres)).toBe(false);
    await expect.poll(() => readdirSync(temporary)).toEqual([]);
  });
});

function postgresPid(): number {
  const [folder = ""] = readdirSync(temporary);
  return Number(readFileSync(join(temporary, folder, "data/postgres/postmaster.pid"), "utf8").split("\n")[0]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
