import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatJoinCode, HubKey } from "#contracts/enrolment.ts";
import { AgentError, HubNotReady } from "./agent-error.ts";
import { credentialFile, readCredential } from "./credential.ts";
import { temporaryDirectory } from "./fixtures/scene.ts";
import { type StandInHub, startStandInHub } from "./fixtures/stand-in-hub.ts";
import { joinHub } from "./join.ts";

let hub: StandInHub;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  hub = await startStandInHub();
  directory = await temporaryDirectory();
});

afterEach(async () => {
  await hub.close();
  await directory.remove();
});

function stateDir(): string {
  return join(directory.path, "state");
}

function joinWith(changes: Partial<Parameters<typeof joinHub>[0]> = {}) {
  return joinHub({ hubUrl: hub.url, code: hub.joinCode, name: "Pi in the garage", stateDir: stateDir(), ...changes });
}

describe("an agent that joins", () => {
  test("stores what the hub granted, readable by its user only", async () => {
    const credential = await joinWith();
    expect(await readCredential(stateDir())).toEqual(credential);
    expect(credential).toMatchObject({ agent: "pi", mqttUrl: `${hub.url.replace("http", "ws")}/mqtt` });
    expect((await stat(stateDir())).mode & 0o777).toBe(0o700);
    expect((await stat(credentialFile(stateDir()))).mode & 0o777).toBe(0o600);
  });

  test("tells its name and what it is, and of the code only the secret", async () => {
    await joinWith();
    expect(hub.enrolments[0]).toMatchObject({ name: "Pi in the garage", inventory: { os: "linux" } });
    expect(JSON.stringify(hub.enrolments[0])).not.toContain(await calculateJwkThumbprint(hub.hubKey));
  });

  test("finds the hub whatever slash its address ends in", async () => {
    expect(await joinWith({ hubUrl: `${hub.url}/` })).toMatchObject({ hubUrl: hub.url });
  });
});

describe("joining is refused with a sentence", () => {
  test("when the code is none", async () => {
    await expect(joinWith({ code: "pbj_short" })).rejects.toThrow("That is not a join code");
  });

  test("when the address is none", async () => {
    await expect(joinWith({ hubUrl: "192.168.1.10:8080" })).rejects.toThrow("is not the address of a hub");
  });

  test("when nobody answers there", async () => {
    await expect(joinWith({ hubUrl: "http://127.0.0.1:9" })).rejects.toThrow(
      /^The hub at http:\/\/127\.0\.0\.1:9 cannot be reached: .*/,
    );
  });

  test("that the hub chose", async () => {
    hub.refusal.detail = "This join code has been used";
    await expect(joinWith()).rejects.toThrow("The hub refused: This join code has been used");
  });

  test.for([
    [403, false],
    [404, false],
    [429, true],
    [500, true],
    [503, true],
  ] as const)("and HTTP status %i means that trying again may help: %s", async ([status, helps]) => {
    Object.assign(hub.refusal, { status, detail: "Not now" });
    const error: unknown = await joinWith().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AgentError);
    expect(error instanceof HubNotReady).toBe(helps);
  });

  test("when it has joined already, unless it is told to replace that", async () => {
    const first = await joinWith();
    await expect(joinWith()).rejects.toThrow("has joined a hub already; use --replace");
    expect(await readCredential(stateDir())).toEqual(first);
    expect(await joinWith({ replace: true })).not.toEqual(first);
  });
});

describe("an agent takes nothing from an impostor", () => {
  test("that shows another key than the code names", async () => {
    const another = HubKey.parse(await exportJWK((await generateKeyPair("EdDSA", { extractable: true })).publicKey));
    hub.changeAnswer.of = (answer) => ({ ...answer, hubKey: another });
    await expect(joinWith()).rejects.toThrow("another key than the join code names");
    await expect(readFile(credentialFile(stateDir()))).rejects.toThrow("ENOENT");
  });

  test("that shows the right key and cannot sign with it", async () => {
    hub.changeAnswer.of = ({ hubKey, grant }) => ({ hubKey, grant: `${grant.slice(0, -8)}AAAAAAAA` });
    await expect(joinWith()).rejects.toThrow("is not signed by its key");
  });

  test("that repeats an older answer of the real hub", async () => {
    let recorded: object | undefined;
    hub.changeAnswer.of = (answer) => (recorded ??= answer);
    await joinWith();
    await expect(joinWith({ replace: true })).rejects.toThrow("belongs to another request");
  });

  test("whose code was made by another hub", async () => {
    const fingerprint = "A".repeat(43);
    const code = formatJoinCode({ secret: "abcdefghijklmnopqrstuvwxyz", fingerprint });
    await expect(joinWith({ code })).rejects.toThrow("another key than the join code names");
  });
});

test("a damaged credential is named, not overwritten", async () => {
  await joinWith();
  await writeFile(credentialFile(stateDir()), "{");
  await expect(readCredential(stateDir())).rejects.toThrow("is damaged; join again with --replace");
});
