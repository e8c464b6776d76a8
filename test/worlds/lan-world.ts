import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { joinHub } from "../../agent/join.ts";
import { COMPILED_ONCE } from "#test/fixtures/compile-cache.ts";
import { startTestHub } from "#test/fixtures/hub.ts";
import { type LanMachine, startLanMachine } from "./lan-machine.ts";
import { type Host, type Networks, startNetworks } from "./networks.ts";
import type { AddMachine, World, WorldAgent, WorldDevice } from "./world.ts";

export interface LanAgent extends WorldAgent {
  readonly host: Host;
}

/** A hub on one network, agents and machines on two others, with everything between them real. */
export interface LanWorld extends World {
  readonly networks: Networks;
  /** A real agent process on a network, online. */
  addAgent(network?: 1 | 2): Promise<LanAgent>;
  addMachine(
    options?: AddMachine & { readonly network?: 1 | 2 },
  ): Promise<{ machine: LanMachine; device: WorldDevice }>;
}

const PATIENCE = { timeout: 40_000, interval: 100 };
/** The first host of a network that this world gives to anybody. */
const FIRST_HOST = 10;

export async function startLanWorld(): Promise<LanWorld> {
  const networks = await startNetworks();
  const hub = await startTestHub({ HTTP_HOST: "0.0.0.0" });
  const hubUrl = `http://${networks.ownAddress}:${new URL(hub.url).port}`;
  const cluster = (await hub.api.post("/clusters", { name: "Lab" })).body;
  const machines: LanMachine[] = [];
  const agents: WorldAgent[] = [];
  const folders: string[] = [];
  let hosts = FIRST_HOST;

  const until = (path: string, field: string, value: string) =>
    vi.waitFor(async () => {
      const { [field]: found, evidence } = (await hub.api.get(path)).body;
      if (found !== value)
        throw new Error(`${path}: ${field} is ${found}, not ${value} yet; ${JSON.stringify(evidence)}`);
    }, PATIENCE);

  async function newAgent(name: string) {
    const stateDir = mkdtempSync(join(tmpdir(), "powerbeacon-lan-"));
    folders.push(stateDir);
    const { body } = await hub.api.post("/enrolments", { clusterId: cluster.id });
    return { stateDir, ...(await joinHub({ hubUrl, code: body.code, name, stateDir })) };
  }

  return {
    hub,
    networks,
    addAgent: async (network = 1) => {
      const number = hosts++;
      const host = await networks.addHost(network, number);
      const { stateDir, agentId, agent: key } = await newAgent(`agent ${number}`);
      let child: ChildProcess | undefined;
      const agent: LanAgent = {
        id: agentId,
        key,
        host,
        kill: async () => {
          const ended = child && once(child, "exit");
          child?.kill("SIGKILL");
          child = undefined;
          await ended;
        },
        start: async () => {
          const file = join(import.meta.dirname, "../../agent/main.ts");
          const inside = ["netns", "exec", host.namespace, process.execPath, file, "run", "--state", stateDir];
          child = spawn("ip", inside, {
            stdio: ["ignore", "ignore", "inherit"],
            env: { ...process.env, ...COMPILED_ONCE },
          });
          await until(`/agents/${agentId}`, "status", "online");
        },
      };
      agents.push(agent);
      await agent.start();
      return agent;
    },
    addMachine: async ({ network = 1, plan = {}, withAgent = false, device = {} } = {}) => {
      const number = hosts++;
      const host = await networks.addHost(network, number, { isDark: true });
      const stateDir = withAgent ? (await newAgent(`machine ${number}`)).stateDir : null;
      const machine = await startLanMachine(networks, host, { plan, stateDir });
      machines.push(machine);
      const { status, body } = await hub.api.post("/devices", {
        name: `Machine ${number}`,
        mac: host.mac,
        clusterId: cluster.id,
        address: host.address,
        wake: { windowSeconds: 60 },
        watch: { icmp: true, arp: true, tcpPorts: [], intervalSeconds: 2 },
        power: { countdownSeconds: 0, graceSeconds: 60 },
        ...device,
      });
      if (status !== 201) throw new Error(`the device was not made: ${JSON.stringify(body)}`);
      await until(`/devices/${body.id}`, "power", "off");
      return { machine, device: body };
    },
    close: async () => {
      for (const agent of agents) await agent.kill();
      for (const machine of machines) machine.close();
      await hub.close();
      await networks.close();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}
