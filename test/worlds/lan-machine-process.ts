import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { LanMachineSettings, MachineCommand, MachineNews } from "./lan-machine.ts";

/**
 * A machine in a network namespace of its own, driven by messages from the test.
 *
 * Off: the interface answers neither ARP nor ICMP nor TCP, but its card hears magic packets. On: it does what a system does
 * that has just started. The kernel of the namespace does the rest.
 */

const { plan, mac, router, tcpPort, stateDir } = JSON.parse(process.argv[2] ?? "{}") as LanMachineSettings;

const card = createSocket({ type: "udp4", reuseAddr: true });
const pattern = Buffer.concat([
  Buffer.alloc(6, 0xff),
  ...Array<Buffer>(16).fill(Buffer.from(mac.replaceAll(":", ""), "hex")),
]);
const connections = new Set<Socket>();
let server: Server | undefined;
let agent: ChildProcess | undefined;
let timer: NodeJS.Timeout | undefined;
let packets = 0;
let heard = 0;
let timesPoweredOff = 0;

function tell(news: MachineNews): void {
  process.send?.(news);
}

function answer(yes: boolean): void {
  execFileSync("ip", ["link", "set", "eth0", "arp", yes ? "on" : "off"]);
  execFileSync("sysctl", ["-wq", `net.ipv4.icmp_echo_ignore_all=${yes && plan.answersPing ? 0 : 1}`]);
}

function comeUp(): void {
  timer = undefined;
  answer(true);
  server = createServer((connection) => {
    connections.add(connection);
    connection.on("error", () => connection.destroy()); // the other side went away, as sides do
    connection.on("close", () => connections.delete(connection));
  }).listen(tcpPort, "0.0.0.0");
  const greeting = createSocket("udp4");
  greeting.send("hello", 9, router, () => greeting.close()); // for which the system asks for the router's MAC address
  if (agent) agent.kill("SIGCONT");
  else startOwnAgent();
  tell({ type: "power", up: true, timesPoweredOff });
  if (plan.sleepsAgainAfterMs !== null) timer = setTimeout(fallAsleep, plan.sleepsAgainAfterMs);
}

function startOwnAgent(): void {
  if (stateDir === null) return;
  const file = join(import.meta.dirname, "own-agent-process.ts");
  agent = fork(file, [stateDir, mac, JSON.stringify(plan.inhibitors)]);
  agent.on("message", (action: PowerOffAction) => {
    timesPoweredOff += 1;
    void carryOut(action);
  });
}

async function carryOut(action: PowerOffAction): Promise<void> {
  if (action === "sleep" || action === "hibernate") return fallAsleep();
  const leaving = agent;
  agent = undefined;
  leaving?.kill("SIGTERM"); // as the system ends its services
  if (leaving) await once(leaving, "exit");
  goDark();
  if (action === "reboot") timer = setTimeout(comeUp, plan.bootMs);
}

/** Everything stands still: nobody says goodbye. */
function fallAsleep(): void {
  agent?.kill("SIGSTOP");
  goDark();
}

function pullThePlug(): void {
  agent?.kill("SIGKILL");
  agent = undefined;
  goDark();
}

function goDark(): void {
  clearTimeout(timer);
  timer = undefined;
  packets = 0;
  answer(false);
  for (const connection of connections) connection.destroy();
  server?.close();
  server = undefined;
  tell({ type: "power", up: false, timesPoweredOff });
}

function moveTo(address: string): void {
  execFileSync("ip", ["address", "flush", "dev", "eth0"]);
  execFileSync("ip", ["address", "add", `${address}/24`, "broadcast", "+", "dev", "eth0"]);
  execFileSync("ip", ["route", "replace", "default", "via", router]);
}

card.on("message", (payload) => {
  if (!payload.includes(pattern)) return;
  heard += 1;
  packets += 1;
  tell({ type: "packets", heard });
  if (plan.neverBoots || server || timer || packets < plan.packetsNeeded) return;
  timer = setTimeout(comeUp, plan.bootMs);
});

process.on("message", (command: MachineCommand) => {
  if (command.type === "move") moveTo(command.address);
  else if (command.type === "power-off") pullThePlug();
  else if (!server) comeUp();
  tell({ type: "done", id: command.id });
});
process.on("disconnect", () => {
  agent?.kill("SIGKILL");
  process.exit();
});

card.bind(9, "0.0.0.0", () => {
  goDark();
  tell({ type: "done", id: 0 });
});
