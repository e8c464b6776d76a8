import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type IClientPublishOptions } from "mqtt";
import type { Key } from "#contracts/key.ts";
import type { BrokerLimits } from "../limits.ts";
import { HOME, startTestBroker, type TestBroker } from "../testing.ts";
import { Peer, type PeerOptions } from "./peer.ts";

/** A broker that the same cases are put to. */
export interface Candidate {
  readonly name: string;
  /** What has to be installed for it. */
  readonly command: string | null;
  readonly start: () => Promise<RunningCandidate>;
}

export interface RunningCandidate {
  /** Set for our own broker. */
  readonly ours: TestBroker | null;
  /** A client that may read what the hub publishes. It has an identifier of its own unless told one. */
  connect(version: 4 | 5, options?: Partial<PeerOptions>): Promise<Peer>;
  /** A topic that nobody else uses: the hub publishes there. */
  topic(): string;
  /** An agent that nobody else is, and the topic that it may publish on. */
  agent(): { readonly username: string; readonly topic: string };
  /** Publishes as the hub, and waits until the broker has it. */
  publish(topic: string, payload: string, options?: IClientPublishOptions): Promise<void>;
  close(): Promise<void>;
}

export const ours: Candidate = { name: "this broker", command: null, start: () => startOurs() };
export const mosquitto: Candidate = { name: "Mosquitto", command: "mosquitto", start: startMosquitto };

export async function startOurs(limits: Partial<BrokerLimits> = {}): Promise<RunningCandidate> {
  const test = await startTestBroker({ limits });
  const hub = await test.hub();
  return {
    ours: test,
    ...clientsOf(test.port),
    topic() {
      const device = `device-${++count}`;
      test.places.devices.set(device, HOME);
      return `powerbeacon/device/${device}/event`;
    },
    agent() {
      const key = `agent-${++count}`;
      test.places.agents.set(key, HOME);
      test.people[key] = { type: "agent", id: key, username: key, key: key as Key, cluster: "home" as Key };
      return { username: key, topic: `powerbeacon/agent/${key}/status` };
    },
    publish: async (topic, payload, options) =>
      void (await hub.mqtt.publishAsync(topic, payload, { qos: 1, ...options })),
    close: () => test.close(),
  };
}

/** Mosquitto with nothing but a port: whoever comes may do anything. */
async function startMosquitto(): Promise<RunningCandidate> {
  const folder = mkdtempSync(join(tmpdir(), "powerbeacon-conformance-"));
  const port = await freePort();
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n`);
  const child = spawn("mosquitto", ["-c", file], { stdio: "ignore" });
  await untilOpen(port, child);
  const hub = await mqtt.connectAsync({ host: "127.0.0.1", port, protocolVersion: 5 });
  return {
    ours: null,
    ...clientsOf(port),
    topic: () => `powerbeacon/device/device-${++count}/event`,
    agent: () => ({ username: `agent-${++count}`, topic: `powerbeacon/agent/agent-${count}/status` }),
    publish: async (topic, payload, options) => void (await hub.publishAsync(topic, payload, { qos: 1, ...options })),
    async close() {
      await hub.endAsync(true);
      child.kill();
      await once(child, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

let count = 0;

function clientsOf(port: number): Pick<RunningCandidate, "connect"> {
  return {
    connect: (version, options = {}) =>
      Peer.connect(port, version, { username: "ha", clientId: `client-${++count}`, ...options }),
  };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo; // it listens on a port
  server.close();
  await once(server, "close");
  return port;
}

async function untilOpen(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = net.connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      socket.destroy();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`mosquitto ended with ${child.exitCode}`);
}
