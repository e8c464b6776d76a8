import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cleanup } from "./cleanup.ts";

/** The version of the Mosquitto that is installed; null where none is. */
export function mosquittoVersion(): string | null {
  try {
    execFileSync("mosquitto", ["-h"], { encoding: "utf8" });
    return null;
  } catch (error) {
    // it calls asking for help a failure
    const { stdout = "" } = error as { stdout?: string };
    return /^mosquitto version (\S+)/m.exec(stdout)?.[1] ?? null;
  }
}

/** Mosquitto without access rules, storage or limits of messages under way: as fast as it goes. */
export async function startMosquitto(cleanup: Cleanup): Promise<{ pid: number; port: number }> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "powerbeacon-bench-mosquitto-"));
  const file = join(folder, "mosquitto.conf");
  writeFileSync(
    file,
    [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence false",
      "log_type none",
      "set_tcp_nodelay true",
      "max_inflight_messages 0",
      "max_queued_messages 0",
    ].join("\n"),
  );
  const child = spawn("mosquitto", ["-c", file], { stdio: "ignore" });
  cleanup.add(async () => {
    if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  });
  for (let tries = 0; tries < 100 && !(await isOpen(port)); tries++) await sleep(50);
  return { pid: child.pid ?? 0, port };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = net.connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false; // not yet
  } finally {
    socket.destroy();
  }
}
