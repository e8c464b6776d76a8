import { expect, test } from "vitest";
import { heard } from "../fixtures/mounted.ts";
import { json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { CallError, call } from "./call.ts";

const failure = async (answer: () => Response | Promise<Response>) => {
  scriptedHub().answers("POST /devices", answer);
  return call("POST", "/devices", {}).catch((error: unknown) => error);
};

test("a call carries the header that only our page can send, and its body as JSON", async () => {
  const hub = scriptedHub();
  hub.answers("POST /devices", () => json({ id: "1" }, 201));
  expect(await call("POST", "/devices", { name: "NAS" })).toEqual({ id: "1" });
  const [made] = hub.calls;
  expect(made?.body).toEqual({ name: "NAS" });
  expect(made?.headers.get("x-powerbeacon")).toBe("1");
  expect(made?.headers.get("content-type")).toBe("application/json");
});

test("a call without a body sends none, and takes an answer without one", async () => {
  const hub = scriptedHub();
  hub.answers("DELETE /devices/1", noContent);
  expect(await call("DELETE", "/devices/1")).toBeUndefined();
  expect(hub.calls[0]?.body).toBeUndefined();
  expect(hub.calls[0]?.headers.has("content-type")).toBe(false);
});

test("a refusal speaks the hub's words and names the fields", async () => {
  const errors = [{ path: "mac", message: "is missing" }];
  const error = await failure(() => problem("INVALID_INPUT", "The input is not right", errors, 422));
  expect(error).toBeInstanceOf(CallError);
  expect(error).toMatchObject({ code: "INVALID_INPUT", message: "The input is not right", fields: errors });
});

test.each([
  ["no connection", () => Promise.reject(new TypeError("Failed to fetch")), /cannot be reached/],
  ["no answer in time", () => Promise.reject(new DOMException("late", "TimeoutError")), /did not answer within/],
  ["the page of a proxy", () => new Response("<h1>Bad gateway</h1>", { status: 502 }), /cannot be reached \(502\)/],
  ["JSON of somebody else", () => json({ message: "Bad gateway" }, 502), /cannot be reached \(502\)/],
])("%s is a hub that cannot be reached", async (_what, answer, words) => {
  const error = await failure(answer);
  expect(error).toMatchObject({ code: "UNREACHABLE", fields: [], message: expect.stringMatching(words) });
});

test("a session that is not good any more is doubted aloud, but not when it is only asked about", async () => {
  const doubts = heard(globalThis, "session-doubtful");
  const hub = scriptedHub();
  const nobody = () => problem("UNAUTHENTICATED", "Log in first", [], 401);
  hub.answers("GET /auth/me", nobody);
  hub.answers("POST /devices", nobody);
  await call("GET", "/auth/me").catch(() => {});
  expect(doubts).toHaveLength(0);
  await call("POST", "/devices").catch(() => {});
  expect(doubts).toHaveLength(1);
});
