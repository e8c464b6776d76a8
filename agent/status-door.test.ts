import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keptLog, temporaryDirectory } from "./fixtures/scene.ts";
import { askRunning, openStatusDoor } from "./status-door.ts";

const answers = (isConnected: () => boolean) => ({ isConnected, notNow: () => false });

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let stateDir: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  stateDir = directory.path;
});

afterEach(() => directory.remove());

describe("who asks about a running agent", () => {
  test("learns each time how it is connected at that moment", async () => {
    let isConnected = false;
    const door = await openStatusDoor(
      stateDir,
      answers(() => isConnected),
      keptLog(),
    );
    expect(await askRunning(stateDir)).toBe("not connected");
    isConnected = true;
    expect(await askRunning(stateDir)).toBe("connected");
    door.close();
  });

  test("learns that it does not run when it has ended, and nothing of it is left", async () => {
    const door = await openStatusDoor(
      stateDir,
      answers(() => true),
      keptLog(),
    );
    door.close();
    expect(await askRunning(stateDir)).toBe("not running");
    expect(existsSync(join(stateDir, "agent.sock"))).toBe(false);
  });

  test("learns that it does not run where none ever has", async () => {
    expect(await askRunning(join(stateDir, "nowhere"))).toBe("not running");
  });

  test("learns it of an agent that hangs, too", async () => {
    const hanging = createServer(() => {}).listen(join(stateDir, "agent.sock"));
    expect(await askRunning(stateDir)).toBe("not running");
    hanging.close();
  });
});

test("an agent answers although one that was killed left its socket behind", async () => {
  await writeFile(join(stateDir, "agent.sock"), "");
  const door = await openStatusDoor(
    stateDir,
    answers(() => true),
    keptLog(),
  );
  expect(await askRunning(stateDir)).toBe("connected");
  door.close();
});

test("an agent whose state directory is too deep for a socket goes on and says so", async () => {
  const deep = join(stateDir, "x".repeat(120));
  await mkdir(deep);
  const log = keptLog();
  const door = await openStatusDoor(
    deep,
    answers(() => true),
    log,
  );
  expect(log.lines).toMatchObject([{ level: "warn", message: 'This agent cannot answer "status"' }]);
  expect(await askRunning(deep)).toBe("not running");
  door.close();
});
