import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server as HttpServer, createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqttPacket from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { createDatabase } from "#test/fixtures/database.ts";
import { ADMIN } from "#test/fixtures/hub.ts";
import { type RunningProcess, freePort, startProcess } from "#test/fixtures/process.ts";

/** What the app starts in its container, started here, beside a stand-in of the supervisor's API. */

const MQTT = "/services/mqtt";
const INFO = "/addons/self/info";
const SCRIPT = "ha-discovery/app/run.ts";
const TOKEN = "token-of-the-supervisor";
const SETUP_CODE = "a code for this test";
const BROKER = { username: "addons", password: "it's a #secret" };

const data = mkdtempSync(join(tmpdir(), "powerbeacon-app-"));
const asked: string[] = [];
let services: Record<string, unknown> = {};
let supervisor: HttpServer;
let databaseUrl: string;
let ports: { http: number; mqtt: number; ingress: number };

beforeAll(async () => {
  ports = { http: await freePort(), mqtt: await freePort(), ingress: await freePort() };
  databaseUrl = await createDatabase();
  supervisor = createHttpServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    const answer = { [INFO]: { ingress_port: ports.ingress }, ...services }[request.url ?? ""];
    // as it answers where no app provides the service
    response.writeHead(answer ? 200 : 400).end(JSON.stringify({ result: answer ? "ok" : "error", data: answer }));
  }).listen(0, "127.0.0.1");
  await once(supervisor, "listening");
});

afterAll(() => {
  supervisor.close();
  rmSync(data, { recursive: true, force: true });
});

/** With the database of the tests in place of the embedded one, which has tests of its own. */
function start(options: Record<string, unknown> = {}): RunningProcess {
  const whole = {
    http_port: ports.http,
    mqtt_port: ports.mqtt,
    home_assistant_broker: true,
    discovery_prefix: "homeassistant",
    discovery_format: "device",
    setup_code: SETUP_CODE,
    log_level: "info",
    ...options,
  };
  writeFileSync(join(data, "options.json"), JSON.stringify(whole));
  const { port } = supervisor.address() as AddressInfo;
  const app = startProcess(SCRIPT, [], {
    APP_DATA: data,
    SUPERVISOR_URL: `http://127.0.0.1:${port}`,
    SUPERVISOR_TOKEN: TOKEN,
    DATABASE_URL: databaseUrl,
    HTTP_HOST: "127.0.0.1",
    MQTT_HOST: "127.0.0.1",
  });
  onTestFinished(() => void app.child.kill("SIGTERM"));
  return app;
}

const health = () => startProcess(SCRIPT, ["health"], { APP_DATA: data }).exit;

/** Home Assistant's broker, as far as the first packet. */
async function startBroker(): Promise<{ port: number; first: Promise<mqttPacket.IConnectPacket> }> {
  const { promise, resolve } = Promise.withResolvers<mqttPacket.IConnectPacket>();
  const broker = createServer((socket) => {
    const parser = mqttPacket.parser();
    parser.on("packet", (packet) => packet.cmd === "connect" && resolve(packet));
    socket.on("data", (chunk) => parser.parse(chunk));
    socket.on("error", () => {}); // its end is nothing to us
    onTestFinished(() => void socket.destroy());
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void broker.close());
  await once(broker, "listening");
  return { port: (broker.address() as AddressInfo).port, first: promise };
}

describe("the app", () => {
  test("runs the hub with the broker and the port that the supervisor names, and ends when it is stopped", async () => {
    const broker = await startBroker();
    services = { [MQTT]: { host: "127.0.0.1", port: broker.port, ssl: false, ...BROKER, protocol: "3.1.1" } };
    expect(await startAndEndOf(health)).toBe(1);
    const app = start();
    await app.line(/is ready/);
    const { username, password } = await broker.first;
    expect({ username, password: password?.toString() }).toEqual(BROKER);
    expect(asked).toEqual([`${MQTT} Bearer ${TOKEN}`, `${INFO} Bearer ${TOKEN}`]);
    expect(await health()).toBe(0);
    // nobody but the supervisor is let in there
    await expect(fetch(`http://127.0.0.1:${ports.ingress}/`)).rejects.toThrow("fetch failed");
    expect(await app.end("SIGTERM")).toBe(0);
    expect(await health()).toBe(1);
  });

  // five processes, one after the other
  test(
    "goes on with the hub's broker where there is no other, and runs an agent with a join code, then without",
    { timeout: 120_000 },
    async () => {
      services = {};
      let app = start();
      await app.line(/no MQTT broker that apps may use/);
      await app.line(new RegExp(`is ready.*MQTT on port ${ports.mqtt}`));
      const anonymous = createApi(`http://127.0.0.1:${ports.http}`);
      await anonymous.post("/setup/init", { ...ADMIN, setupCode: SETUP_CODE });
      const { body } = await (await anonymous.logIn(ADMIN)).post("/enrolments", {});
      asked.length = 0;
      for (const options of [{ join_code: body.code, home_assistant_broker: false }, {}]) {
        await app.end("SIGTERM");
        app = start(options);
        await app.line(/Connected to the hub/);
      }
      expect(asked.map((line) => line.split(" ", 1)[0])).toEqual([INFO, MQTT, INFO]);
      expect(await app.end("SIGTERM")).toBe(0);
    },
  );

  test("tells why it cannot start", async () => {
    const app = start({ http_port: "eighty" });
    expect(await app.exit).toBe(1);
    expect(app.lines.join("\n")).toContain("http_port");
  });
});

/** Before the first start there are no options; they are written as the supervisor does. */
async function startAndEndOf(check: () => Promise<number | null>): Promise<number | null> {
  writeFileSync(join(data, "options.json"), JSON.stringify({}));
  return await check();
}
