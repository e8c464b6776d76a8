import { existsSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keptLog, temporaryDirectory } from "./fixtures/scene.ts";
import { askRunning, openPublicDoor, openStatusDoor, sayNotNow } from "./status-door.ts";

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

describe("who says not now", () => {
  const nowhere = () => join(stateDir, "nowhere.sock");

  test("keeps the machine up that is about to go down, and is named", async () => {
    const said: string[] = [];
    const notNow = (who: string) => said.push(who) === 1;
    const door = await openStatusDoor(stateDir, { isConnected: () => true, notNow }, keptLog());
    expect(await sayNotNow(stateDir, nowhere())).toBe("stays up");
    expect(said).toEqual([userInfo().username]);
    expect(await askRunning(stateDir)).toBe("connected");
    door.close();
  });

  test("learns where nothing is about to happen, and where no agent runs", async () => {
    const door = await openStatusDoor(
      stateDir,
      answers(() => true),
      keptLog(),
    );
    expect(await sayNotNow(stateDir, nowhere())).toBe("not running");
    door.close();
    expect(await sayNotNow(stateDir, nowhere())).toBe("not running");
  });

  test("may be anybody on the machine while it counts down, who can ask nothing else there", async () => {
    const path = join(stateDir, "open", "not-now.sock");
    const door = await openPublicDoor({ notNow: () => true }, keptLog(), path);
    expect(statSync(path).mode & 0o666).toBe(0o666);
    expect(statSync(join(stateDir, "open")).mode & 0o005).toBe(0o005);
    expect(await sayNotNow(join(stateDir, "of somebody else"), path)).toBe("stays up");
    expect(await asked(path, "status")).toBe("nothing to stop");
    door.close();
    expect(existsSync(path)).toBe(false);
  });

  test("cannot put anything but a name into the words that the hub shows", async () => {
    const said: string[] = [];
    const notNow = (who: string) => said.push(who) > 0;
    const path = join(stateDir, "not-now.sock");
    const door = await openPublicDoor({ notNow }, keptLog(), path);
    await asked(path, `not-now <b>ann</b>\u0007 ${"x".repeat(500)}`);
    expect(said[0]).toMatch(/^bannb x+$/);
    expect(said[0]?.length).toBeLessThan(200);
    door.close();
  });

  async function asked(path: string, question: string): Promise<string> {
    const socket = connect(path);
    socket.end(`${question}\n`);
    return text(socket);
  }
});
