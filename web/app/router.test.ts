import { describe, expect, onTestFinished, test } from "vitest";
import { INGRESS_PATH, standInHomeAssistant } from "../fixtures/in-home-assistant.ts";
import { followInPlace, navigate, onNavigation, pathOf, routeOf } from "./router.ts";

const DASHBOARD = { page: "dashboard", opened: undefined };

describe("a path of the page means", () => {
  test.each([
    ["/", DASHBOARD],
    ["", DASHBOARD],
    ["/login", { page: "login" }],
    ["/setup", { page: "setup" }],
    ["/setup/", { page: "setup" }],
    ["/devices/nas", { page: "dashboard", opened: { kind: "device", key: "nas" } }],
    ["/devices/nas/", { page: "dashboard", opened: { kind: "device", key: "nas" } }],
    ["/clusters/home", { page: "dashboard", opened: { kind: "cluster", key: "home" } }],
    ["/agents/pi", { page: "dashboard", opened: { kind: "agent", key: "pi" } }],
    ["/devices/a%20b", { page: "dashboard", opened: { kind: "device", key: "a b" } }],
    ["/settings/tokens", { page: "settings", section: "tokens" }],
    ["/settings", { page: "settings", section: "profile" }],
    ["/devices", DASHBOARD],
    ["/elsewhere", DASHBOARD],
    ["/constructor/x", DASHBOARD],
    ["/toString/x", DASHBOARD],
  ])("%s", (path, route) => {
    expect(routeOf(path)).toEqual(route);
  });

  test("a thing that exists nowhere when it cannot be read, and is no error", () => {
    expect(routeOf("/devices/%E0%A4%A")).toMatchObject({ page: "dashboard" });
  });

  test.each(["device", "cluster", "agent"] as const)("the %s that it was made for", (kind) => {
    expect(routeOf(pathOf({ kind, key: "a/ä" }))).toEqual({ page: "dashboard", opened: { kind, key: "a/ä" } });
  });
});

describe("going somewhere", () => {
  test("tells the page, adds to the browser's history once, and leads back", async () => {
    keepAddress();
    const seen: string[] = [];
    onTestFinished(onNavigation(() => seen.push(location.pathname)));
    const before = location.pathname;
    const { length } = history;
    navigate("/devices/nas");
    navigate("/devices/nas");
    expect(history.length).toBe(length + 1);
    expect(seen).toEqual(["/devices/nas", "/devices/nas"]);
    history.back();
    await expect.poll(() => seen.at(-1)).toBe(before);
  });
});

describe("a click", () => {
  const click = (href: string, options: MouseEventInit = {}, attributes: Record<string, string> = {}) => {
    keepAddress();
    const link = Object.assign(document.createElement("a"), { href, textContent: "link" });
    for (const [name, value] of Object.entries(attributes)) link.setAttribute(name, value);
    const box = document.createElement("div");
    box.append(link);
    document.body.append(box);
    onTestFinished(() => box.remove());
    let isOurs: boolean | undefined;
    box.addEventListener("click", (event) => {
      followInPlace(event);
      isOurs = event.defaultPrevented;
      event.preventDefault(); // the test's page stays
    });
    link.dispatchEvent(
      new MouseEvent("click", { bubbles: true, composed: true, cancelable: true, button: 0, ...options }),
    );
    return isOurs;
  };

  test("on a link of ours is followed in place", () => {
    expect(click("/devices/nas")).toBe(true);
    expect(location.pathname).toBe("/devices/nas");
  });

  test("inside Home Assistant on a link of ours is followed in place, and one to its own pages is not", () => {
    standInHomeAssistant();
    expect(click(`${INGRESS_PATH}/devices/nas`)).toBe(true);
    expect(location.pathname).toBe(`${INGRESS_PATH}/devices/nas`);
    for (const href of [`${INGRESS_PATH}/api/docs`, "/config/dashboard", "/devices/nas"])
      expect(click(href)).toBe(false);
  });

  test.each([
    ["with Ctrl", "/devices/nas", { ctrlKey: true }, {}],
    ["with Cmd", "/devices/nas", { metaKey: true }, {}],
    ["with Shift", "/devices/nas", { shiftKey: true }, {}],
    ["with the middle button", "/devices/nas", { button: 1 }, {}],
    ["on a link to elsewhere", "https://example.org/devices/nas", {}, {}],
    ["on a link to a new tab", "/devices/nas", {}, { target: "_blank" }],
    ["on a link to the API's documents", "/api/docs", {}, {}],
  ])("%s is the browser's", (_what, href, options, attributes) => {
    expect(click(href, options, attributes)).toBe(false);
  });
});

/** The address of the test's own page comes back when the test ends. */
function keepAddress(): void {
  const { href } = location;
  onTestFinished(() => history.replaceState(null, "", href));
}
