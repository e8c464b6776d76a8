import { expect, test } from "vitest";
import { ResponseRoutes } from "./response-routes.ts";

const MINUTES = 60_000;

test("a response topic of the other broker has one of the bridge's own meanwhile", () => {
  const routes = new ResponseRoutes();
  const [one, two] = [routes.to("client/ha/response/1", 0), routes.to("client/ha/response/2", 0)];
  expect(one).not.toBe(two);
  expect([one, two].map((ours) => routes.back(ours ?? ""))).toEqual(["client/ha/response/1", "client/ha/response/2"]);
  expect(routes.back("client/mqtt/response/99")).toBeUndefined();
});

test.each([
  "hub/status",
  "client/ha/response/",
  "client/a/b/response/1",
  "client/+/response/1",
  "client/ha/response/#",
  "client/ha/response/\u0001",
  `client/ha/response/${"x".repeat(1_100)}`,
])("a topic on which nobody may be answered is passed on as one that the hub refuses: %j", (theirs) => {
  const routes = new ResponseRoutes();
  expect([routes.to(theirs, 0), routes.to(undefined, 0)]).toEqual(["nowhere", undefined]);
});

test("old ones are forgotten, and beyond a thousand the oldest", () => {
  const routes = new ResponseRoutes();
  const [first = "", ...others] = Array.from(
    { length: 1_001 },
    (_, at) => routes.to(`client/ha/response/${at}`, 0) ?? "",
  );
  expect(routes.back(first)).toBeUndefined();
  expect(routes.back(others[0] ?? "")).toBe("client/ha/response/1");
  routes.to("client/ha/response/late", 20 * MINUTES);
  expect(routes.back(others[0] ?? "")).toBeUndefined();
});
