import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type LeanCaller, leanCaller } from "#test/fixtures/lean-caller.ts";
import { describedRoutes } from "#test/fixtures/open-api.ts";
import { BEHIND_PROXY, fromElsewhere, logIn } from "#test/fixtures/people.ts";
import { rightBody } from "#test/fixtures/right-bodies.ts";
import { type Outcome, ROUTES, outcomeOf } from "./permission-table.ts";
import type { MatrixTarget } from "./permission-targets.ts";
import { type MatrixCaller, type World, openWorld } from "./permission-world.ts";

/** Every route × everybody who may call it × everything that it may be about, held against the table of the design. */

const AT_ONCE = 8;

let hub: TestHub;
let caller: LeanCaller;
let world: World;
let before: unknown;
let cells = 0;

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  caller = leanCaller(hub.url);
  world = await openWorld(hub);
  before = await world.targets.state();
}, 240_000);

afterAll(async () => {
  caller?.close();
  await world?.close();
  await hub.close();
});

interface Cell {
  readonly route: string;
  readonly caller: MatrixCaller;
  readonly target: MatrixTarget | undefined;
  readonly expected: Outcome;
}

async function cellsOf(route: string): Promise<Cell[]> {
  const callers = await world.callersOf(route);
  return callers.flatMap((caller) =>
    (world.targets.of(route, caller) ?? [undefined])
      .map((target) => ({ route, caller, target, expected: outcomeOf(route, caller, target) }))
      // whoever calls has to be there for the next cell
      .filter(
        ({ target, expected }) => route !== "DELETE /api/users/{id}" || target?.name !== "oneself" || expected !== "ok",
      ),
  );
}

function targetFor({ route, target, expected }: Cell): Promise<string> | undefined {
  if (expected !== "ok" || route.startsWith("GET ")) return target?.standing();
  return route.startsWith("DELETE ") ? target?.fresh() : target?.changing();
}

async function answerTo(cell: Cell): Promise<string> {
  const { route, expected } = cell;
  const [method = "", path = ""] = route.split(" ");
  const id = (await targetFor(cell)) ?? "";
  // this ends the session that asks for it
  const isLast = expected === "ok" && route === "POST /api/auth/logout" && cell.caller.person;
  // a log-in that is none of this caller's would be refused for a reason of its own
  const body = route === "POST /api/auth/login" ? {} : rightBody(route);
  const headers = {
    ...fromElsewhere(),
    ...cell.caller.headers,
    ...(isLast && { authorization: `Bearer ${await logIn(hub.url, isLast)}` }),
  };
  const named = path.replace("{type}", "device").replace("{id}", id);
  const { status, text } = await caller.call(method, named, headers, body && JSON.stringify(body));
  return classOf(status, text);
}

/** The outcome, or what came that is none. */
function classOf(status: number, text: string): string {
  if (status === 401 || status === 403 || status === 404) return String(status);
  return status < 300 || status === 409 || status === 422 ? "ok" : `${status} ${text}`;
}

/** What was answered otherwise than the table says, in words. */
async function differences(route: string): Promise<string[]> {
  const waiting = (await cellsOf(route)).values();
  const found: string[] = [];
  const work = async () => {
    for (const cell of waiting) {
      cells++;
      const answer = await answerTo(cell);
      if (answer === String(cell.expected)) continue;
      const about = cell.target ? ` about ${cell.target.name}` : "";
      found.push(`${cell.caller.name}${about}: ${answer} instead of ${cell.expected}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found.toSorted();
}

test("the table knows every route that the document describes, and no other", async () => {
  const routes = (await describedRoutes(hub.api)).map(({ name }) => name);
  expect(Object.keys(ROUTES).toSorted()).toEqual(routes.toSorted());
});

describe("everybody is answered as the design says at", () => {
  test.each(Object.keys(ROUTES))("%s", async (route) => {
    expect(await differences(route)).toEqual([]);
  });
});

test("these were more than a thousand calls, and those that were refused changed nothing", async () => {
  expect(cells).toBeGreaterThan(1_000);
  expect(await world.targets.state()).toEqual(before);
});
