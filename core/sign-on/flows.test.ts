import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { FLOW_SECONDS, type Flow, Flows } from "./flows.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);

function flow(): Flow {
  const texts = { nonce: "n", verifier: "v", redirectUri: "https://hub.example/api/auth/callback", returnTo: "/" };
  return { providerId: randomUUID(), state: randomUUID(), link: null, ...texts };
}

test("a flow comes back as it was, once", async () => {
  const [flows, begun] = [new Flows(), flow()];
  const cookie = await flows.seal(begun, NOW);
  expect(cookie).not.toContain(begun.state);
  expect(await flows.finish(cookie, later(FLOW_SECONDS - 1))).toEqual(begun);
  expect(await flows.finish(cookie, later(FLOW_SECONDS - 1))).toBeUndefined();
});

test("a flow that took longer than ten minutes is over", async () => {
  const flows = new Flows();
  expect(await flows.finish(await flows.seal(flow(), NOW), later(FLOW_SECONDS + 1))).toBeUndefined();
});

test("a flow of another start, or one that somebody made up, is none", async () => {
  const flows = new Flows();
  for (const cookie of [await new Flows().seal(flow(), NOW), "", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
    expect(await flows.finish(cookie, NOW)).toBeUndefined();
});
