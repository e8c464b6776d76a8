import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { topics } from "#contracts/topics.ts";
import { type AgentProcess, runProcess, startProcess } from "./fixtures/process.ts";
import { clockOffsets, temporaryDirectory } from "./fixtures/scene.ts";
import { type StandInHub, startStandInHub } from "./fixtures/stand-in-hub.ts";

const NOWHERE = "/nonexistent/powerbeacon-agent";
const STATUS = topics.agentStatus.for("pi");

describe("powerbeacon-agent", () => {
  let hub: StandInHub;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let stateDir: string;

  beforeEach(async () => {
    hub = await startStandInHub();
    directory = await temporaryDirectory();
    stateDir = join(directory.path, "state");
  });

  afterEach(async () => {
    await hub.close();
    await directory.remove();
  });

  async function running(): Promise<AgentProcess> {
    const agent = startProcess(["run"], { STATE_DIR: stateDir, HUB_URL: hub.url, JOIN_CODE: hub.joinCode });
    await expect.poll(() => hub.broker.retained.get(STATUS), { timeout: 10_000 }).toBe("online");
    return agent;
  }

  test("joins, and then knows where it belongs", async () => {
    const joined = await runProcess(["join", hub.url, hub.joinCode, "--state", stateDir]);
    expect(joined).toMatchObject({ exitCode: 0, output: expect.stringContaining(`Joined ${hub.url} as "pi"`) });
    const status = await runProcess(["status", "--state", stateDir]);
    expect(status.output).toMatch(new RegExp(`^Joined ${hub.url} as "pi" on [^]*It does not run\\.\n$`));
    expect(status.exitCode).toBe(1);
  });

  test("tells by the exit code of its status whether it is connected now", async () => {
    const status = () => runProcess(["status"], { STATE_DIR: stateDir });
    const agent = await running();
    await expect.poll(() => agent.output.text).toContain("Connected to the hub");
    expect(await status()).toEqual({ exitCode: 0, output: expect.stringMatching(/It runs and is connected\.\n$/) });

    await hub.broker.stop();
    await expect.poll(() => agent.output.text).toContain("Not connected to the hub");
    expect(await status()).toEqual({
      exitCode: 1,
      output: expect.stringMatching(/It runs, but is not connected; .*\n$/),
    });

    agent.child.kill("SIGKILL");
    await agent.ended;
    expect(await status()).toEqual({ exitCode: 1, output: expect.stringMatching(/It does not run\.\n$/) });
  });

  test("joins by itself when it starts with a hub and a code", async () => {
    const agent = await running();
    agent.child.kill("SIGTERM");
    await agent.ended;
    expect(hub.enrolments).toHaveLength(1);
  });

  test("waits for a hub that is not up yet, and joins it then", async () => {
    await hub.stopListening();
    const agent = startProcess(["run"], { STATE_DIR: stateDir, HUB_URL: hub.url, JOIN_CODE: hub.joinCode });
    await expect.poll(() => agent.output.text, { timeout: 10_000 }).toContain("Could not join the hub yet");
    await hub.listenAgain();
    await expect.poll(() => hub.broker.retained.get(STATUS), { timeout: 10_000 }).toBe("online");
    agent.child.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
  });

  test("ends when it is asked to while it waits for its hub", async () => {
    await hub.stopListening();
    const agent = startProcess(["run"], { STATE_DIR: stateDir, HUB_URL: hub.url, JOIN_CODE: hub.joinCode });
    await expect.poll(() => agent.output.text, { timeout: 10_000 }).toContain("Could not join the hub yet");
    agent.child.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
    expect(agent.output.text).toContain("The agent ends");
  });

  test("ends with code 1 and the hub's sentence when the hub refuses its code", async () => {
    hub.refusal.detail = "This join code has been used";
    const environment = { STATE_DIR: stateDir, HUB_URL: hub.url, JOIN_CODE: hub.joinCode };
    expect(await runProcess(["run"], environment)).toEqual({
      exitCode: 1,
      output: "The hub refused: This join code has been used\n",
    });
  });

  test("says goodbye within seconds when it is asked to stop", async () => {
    const agent = await running();
    await expect.poll(() => agent.output.text).toContain("Connected to the hub");
    const startedMs = performance.now();
    agent.child.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    expect(hub.broker.retained.get(STATUS)).toBe("offline");
    expect(
      agent.output.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).msg),
    ).toEqual(["Starting", "Connected to the hub", "The agent ends"]);
  });

  test("is reported offline by its Will when it is killed", async () => {
    const agent = await running();
    agent.child.kill("SIGKILL");
    await expect.poll(() => hub.broker.retained.get(STATUS)).toBe("offline");
    await agent.ended;
  });

  test("stops with code 3 when the hub has removed it, and keeps its files", async () => {
    const agent = await running();
    await expect.poll(() => clockOffsets(hub).some((offsetMs) => offsetMs !== null)).toBe(true);
    const topic = topics.agentOrder.for("pi");
    await hub.broker.publish(topic, await hub.sign(hub.order(topic, { type: "revoked" })));
    expect(await agent.ended).toBe(3);
    expect((await runProcess(["status", "--state", stateDir])).output).toContain(`Joined ${hub.url} as "pi"`);
  });
});

describe.concurrent("powerbeacon-agent that cannot do what it is asked", () => {
  test.for([
    [["status"], 1, /^This agent has not joined a hub \(.*\)\n$/],
    [["run"], 1, /^This agent has not joined a hub: use "join", or set HUB_URL and JOIN_CODE .*\n$/],
    [["join", "http://127.0.0.1:9", "nonsense"], 1, /^That is not a join code; .*\n$/],
    [["join", "http://127.0.0.1:9"], 2, /^join needs the address of the hub and a join code\n/],
    [["not-now"], 1, /^No agent on this machine is about to power it off\.\n$/],
    [["dance"], 2, /^"dance" is not a command of this agent\n/],
    [["run", "--loud"], 2, /^Unknown option '--loud'/],
  ] as const)("%j ends with code %i and one sentence", async ([args, exitCode, output], { expect }) => {
    const result = await runProcess(args, { STATE_DIR: NOWHERE });
    expect(result.output).toMatch(output);
    expect(result.exitCode).toBe(exitCode);
  });
});
