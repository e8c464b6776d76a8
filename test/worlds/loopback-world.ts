import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { type Agent, startAgent } from "../../agent/agent.ts";
import type { Credential } from "../../agent/credential.ts";
import { joinHub } from "../../agent/join.ts";
import { createLog } from "../../agent/log.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { freshMac } from "#test/fixtures/scripted-agent.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";
import { simulatedPower } from "../../agent/fixtures/simulated-power.ts";
import { type MachinePlan, PLAN, type World } from "./world.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
/** The first machine's address ends so; the third octet keeps them away from other tests of this process. */
const FIRST_HOST = 10;

/** The same where nobody may make networks: machines are sockets on loopback, and agents run in this process. */
export async function startLoopbackWorld(): Promise<World> {
  const hub = await startTestHub();
  const cluster = (await hub.api.post("/clusters", { name: "Lab" })).body;
  const machines: SimulatedMachine[] = [];
  const agents: InProcessAgent[] = [];
  const folders: string[] = [];
  let hosts = FIRST_HOST;

  async function newAgent(name: string): Promise<InProcessAgent> {
    const stateDir = mkdtempSync(join(tmpdir(), "powerbeacon-loopback-"));
    folders.push(stateDir);
    const { body } = await hub.api.post("/enrolments", { clusterId: cluster.id });
    const agent = new InProcessAgent(
      hub,
      await joinHub({ hubUrl: hub.url, code: body.code, name, stateDir }),
      stateDir,
    );
    agents.push(agent);
    return agent;
  }

  return {
    hub,
    addAgent: async () => {
      const agent = await newAgent(`agent ${hosts++}`);
      await agent.start();
      return agent;
    },
    addMachine: async ({ plan = {}, withAgent = false, device = {} } = {}) => {
      const number = hosts++;
      const mac = freshMac();
      const ownAgent = withAgent ? await newAgent(`machine ${number}`) : undefined;
      const machine = await startMachine({ ...PLAN, ...plan }, mac, `127.0.7.${number}`, ownAgent);
      machines.push(machine.simulated);
      const { status, body } = await hub.api.post("/devices", {
        name: `Machine ${number}`,
        mac,
        clusterId: cluster.id,
        address: machine.simulated.host,
        wake: { addresses: ["127.255.255.255"], ports: [machine.simulated.udpPort], windowSeconds: 60 },
        // loopback answers every ping, and has no neighbours
        watch: { icmp: false, arp: false, tcpPorts: [machine.simulated.tcpPort], intervalSeconds: 1 },
        power: { countdownSeconds: 0, graceSeconds: 60, ...(ownAgent && { ownAgentId: ownAgent.id }) },
        ...device,
      });
      if (status !== 201) throw new Error(`the device was not made: ${JSON.stringify(body)}`);
      await vi.waitFor(async () => {
        if ((await hub.api.get(`/devices/${body.id}`)).body.power !== "off")
          throw new Error(`${body.key} is not off yet`);
      }, PATIENCE);
      return { machine, device: body };
    },
    close: async () => {
      for (const agent of agents) await agent.kill();
      for (const machine of machines) await machine.close();
      await hub.close();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}

class InProcessAgent {
  readonly id: string;
  readonly key: string;
  readonly #hub: TestHub;
  readonly #credential: Credential;
  readonly #stateDir: string;
  #running: Agent | undefined;
  /** What it does with the machine that it runs on. */
  power = simulatedPower({ actions: [], problem: "This agent runs in a test" });

  constructor(hub: TestHub, credential: Credential, stateDir: string) {
    this.#hub = hub;
    this.#credential = credential;
    this.#stateDir = stateDir;
    this.id = credential.agentId;
    this.key = credential.agent;
  }

  /** Without waiting until the hub has seen it. */
  async run(): Promise<void> {
    const log = createLog({ level: "silent", stream: process.stderr });
    const options = { credential: this.#credential, stateDir: this.#stateDir, log, power: this.power };
    this.#running ??= await startAgent(options);
  }

  async start(): Promise<void> {
    await this.run();
    await vi.waitFor(async () => {
      if ((await this.#hub.api.get(`/agents/${this.id}`)).body.status !== "online") throw new Error("not online yet");
    }, PATIENCE);
  }

  /** A process that is killed says no goodbye either; its broker sees the connection end. */
  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.close();
  }
}

async function startMachine(plan: MachinePlan, mac: string, host: string, agent: InProcessAgent | undefined) {
  let timesPoweredOff = 0;
  let asleep: NodeJS.Timeout | undefined;
  const { bootMs, packetsNeeded, neverBoots, sleepsAgainAfterMs } = plan;
  const simulated = await startSimulatedMachine({
    mac,
    host,
    bootMs,
    packetsNeeded,
    neverBoots,
    onPower: (up) => {
      clearTimeout(asleep);
      if (!up) return;
      void agent?.run();
      if (sleepsAgainAfterMs !== null) asleep = setTimeout(() => void goDown(), sleepsAgainAfterMs);
    },
  });
  const goDown = async () => {
    await agent?.kill();
    await simulated.powerOff();
  };
  if (agent) {
    agent.power = simulatedPower({
      macs: [mac],
      users: 0,
      goDown: (action) => {
        timesPoweredOff += 1;
        void goDown().then(() => action === "reboot" && simulated.powerOn());
      },
    });
    agent.power.held = [...plan.inhibitors];
  }
  return {
    simulated,
    get packets() {
      return simulated.packets.length;
    },
    get isUp() {
      return simulated.isUp;
    },
    get timesPoweredOff() {
      return timesPoweredOff;
    },
    powerOn: () => Promise.resolve(simulated.powerOn()),
    powerOff: goDown,
  };
}
