import { expect, test } from "vitest";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { wholeList } from "./whole-list.ts";

test("a list is read part by part, to its end", async () => {
  const hub = scriptedHub();
  hub.answers("GET /things?limit=200", () => json({ items: [1, 2], next: "a b", total: 3 }));
  hub.answers("GET /things?limit=200&cursor=a%20b", () => json({ items: [3], next: null, total: 3 }));
  expect(await wholeList("/things")).toEqual([1, 2, 3]);
});

test("a list of which a part cannot be read is not half a list", async () => {
  const hub = scriptedHub();
  hub.answers("GET /things?limit=200", () => json({ items: [1, 2], next: "x", total: 3 }));
  hub.answers("GET /things?limit=200&cursor=x", () => problem("DATABASE_UNAVAILABLE", "Away", [], 503));
  await expect(wholeList("/things")).rejects.toThrow("Away");
});
