import { describe, expect, test } from "vitest";
import { navigate } from "../app/router.ts";
import { INGRESS_PATH as BASE, standInHomeAssistant } from "../fixtures/in-home-assistant.ts";
import { currentPath, hrefOf, hubAddress, isInHomeAssistant, pathBelow } from "./address.ts";

describe("at the root", () => {
  test("paths are what they are, and the hub is where the page is", () => {
    expect(isInHomeAssistant()).toBe(false);
    expect(hrefOf("/api/devices")).toBe("/api/devices");
    expect(pathBelow("/settings/tokens")).toBe("/settings/tokens");
    expect(hubAddress()).toBe(location.origin);
  });
});

describe("below a path of Home Assistant", () => {
  test("paths are asked for there, and read without it", () => {
    standInHomeAssistant();
    expect(isInHomeAssistant()).toBe(true);
    expect(hrefOf("/api/devices")).toBe(`${BASE}/api/devices`);
    expect(hubAddress()).toBe("http://hub.lan:8080");
  });

  test.each([
    [BASE, "/"],
    [`${BASE}/`, "/"],
    [`${BASE}/devices/nas`, "/devices/nas"],
    [`${BASE}x/devices/nas`, undefined],
    ["/lovelace/default_view", undefined],
    ["/", undefined],
  ])("%s is %s of the hub", (pathname, path) => {
    standInHomeAssistant();
    expect(pathBelow(pathname)).toBe(path);
  });

  test("going somewhere stays below it", () => {
    standInHomeAssistant();
    navigate("/devices/nas");
    expect(location.pathname).toBe(`${BASE}/devices/nas`);
    expect(currentPath()).toBe("/devices/nas");
  });
});
