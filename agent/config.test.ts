import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { temporaryDirectory } from "./fixtures/scene.ts";

describe("the agent's settings", () => {
  test("have defaults for everything", () => {
    expect(readConfig({})).toMatchObject({ hubUrl: undefined, joinCode: undefined, logLevel: "info" });
    expect(readConfig({}).stateDir).toMatch(/powerbeacon-agent$/);
  });

  test("come from the environment, where empty means unset", () => {
    const config = readConfig({ HUB_URL: "http://hub:8080", JOIN_CODE: "pbj_x", STATE_DIR: "/state", LOG_LEVEL: "" });
    expect(config).toEqual({ hubUrl: "http://hub:8080", joinCode: "pbj_x", stateDir: "/state", logLevel: "info" });
  });

  test("let it listen unless they say otherwise", () => {
    expect(readConfig({}).listen).toBeUndefined();
    expect(readConfig({ LISTEN: "off" }).listen).toBe("off");
    expect(() => readConfig({ LISTEN: "no" })).toThrow(/LISTEN/);
  });

  test("take the join code from a file", async () => {
    const directory = await temporaryDirectory();
    const file = join(directory.path, "code");
    await writeFile(file, "pbj_from_file\n");
    expect(readConfig({ JOIN_CODE_FILE: file }).joinCode).toBe("pbj_from_file");
    await directory.remove();
  });

  test("name all problems at once", () => {
    const wrong = { HUB_URL: "hub", LOG_LEVEL: "loud", JOIN_CODE: "a", JOIN_CODE_FILE: "/no/such/file" };
    expect(() => readConfig(wrong)).toThrow(
      /JOIN_CODE and JOIN_CODE_FILE.*JOIN_CODE_FILE cannot be read.*HUB_URL.*LOG_LEVEL/,
    );
  });
});
