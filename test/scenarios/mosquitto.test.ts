import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMissing, needsCommand } from "#test/fixtures/commands.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type MosquittoServer, startMosquitto } from "#test/fixtures/mosquitto-server.ts";
import { startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** A client from elsewhere, as people use it in scripts: `mosquitto_pub` and `mosquitto_sub`, MQTT 3.1.1 and 5. */

describe("with the embedded broker", () => {
  scripts("embedded");
});

describe.skipIf(isMissing("mosquitto"))("with Mosquitto", () => {
  scripts("Mosquitto");
});

function scripts(broker: "embedded" | "Mosquitto"): void {
  let hub: TestHub;
  let mosquitto: MosquittoServer | undefined;
  let login: string[];

  beforeAll(async () => {
    mosquitto = broker === "Mosquitto" ? await startMosquitto() : undefined;
    hub = await startTestHub({}, { mosquitto });
    await hub.startAgent({ name: "Pi" });
    const { body } = await hub.api.post("/mqtt-clients", { name: "Scripts", permissions: ["read", "wake"] });
    const { username, password } = body;
    await (await hub.connect({ username, password })).close(); // the broker knows it
    login = ["-h", "127.0.0.1", "-p", new URL(hub.mqttUrl).port, "-u", username, "-P", password];
  });

  afterAll(async () => {
    await hub.close();
    await mosquitto?.close();
  });

  async function run(command: string, args: string[]): Promise<{ code: number; output: string }> {
    const child = spawn(command, [...login, ...args]);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
    const [code] = (await once(child, "close")) as [number];
    return { code, output };
  }

  test.for([
    ["3.1.1", "mqttv311"],
    ["5", "mqttv5"],
  ])(
    "mosquitto_pub with MQTT %s wakes a device, and the network card gets its 102 bytes",
    async ([, version = ""], context) => {
      needsCommand(context, "mosquitto_pub", "mosquitto-clients");
      const mac = version === "mqttv5" ? "02:00:00:00:0b:05" : "02:00:00:00:0b:04";
      const machine = await startSimulatedMachine({ mac, host: "127.0.4.1", bootMs: 400 });
      const { body: device } = await hub.api.post("/devices", {
        name: `Box ${version}`,
        mac,
        address: machine.host,
        wake: { addresses: ["127.255.255.255"], ports: [machine.udpPort] },
        watch: { icmp: false, arp: false, tcpPorts: [machine.tcpPort], intervalSeconds: 1 },
      });

      const sent = await run("mosquitto_pub", [
        "-V",
        version,
        "-q",
        "1",
        "-t",
        "powerbeacon/cluster/unassigned/wake",
        "-m",
        device.key,
      ]);

      expect(sent).toEqual({ code: 0, output: "" });
      await expect
        .poll(() => machine.packets[0]?.toString("hex"))
        .toBe("ff".repeat(6) + mac.replaceAll(":", "").repeat(16));
      expect(machine.packets[0]).toHaveLength(102);
      await expect
        .poll(async () => (await hub.api.get(`/devices/${device.id}`)).body.power, { timeout: 20_000 })
        .toBe("on");
      const state = await run("mosquitto_sub", [
        "-V",
        version,
        "-t",
        `powerbeacon/device/${device.key}/state`,
        "-C",
        "1",
        "-W",
        "5",
      ]);
      expect(state).toEqual({ code: 0, output: "ON\n" });
      await machine.close();
    },
  );

  test("a wrong password is refused as such, so that a client asks for a new one", async (context) => {
    needsCommand(context, "mosquitto_pub", "mosquitto-clients");
    const { code, output } = await run("mosquitto_pub", [
      "-V",
      "mqttv5",
      "-P",
      "wrong",
      "-t",
      "powerbeacon/cluster/unassigned/wake",
      "-m",
      "*",
    ]);
    expect(code).not.toBe(0);
    expect(output).toMatch(/bad user ?name or password|not authori[sz]ed/i);
  });
}
