import { randomUUID } from "node:crypto";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDatabase, query } from "#test/fixtures/database.ts";
import { openTestDatabase } from "#test/fixtures/opened-database.ts";
import type { Database } from "../kernel/database.ts";
import type { TrailSource } from "../kernel/trail.ts";
import { type Audit, startAudit } from "./audit.service.ts";

const ANN: TrailSource = {
  siteId: randomUUID(),
  actor: { type: "user", id: randomUUID(), name: "ann" },
  address: "192.168.1.7",
  requestId: randomUUID(),
};

let url: string;
let database: Database;
let audit: Audit;

beforeAll(async () => {
  url = await createDatabase();
  database = await openTestDatabase(url);
  audit = startAudit({ database, log: pino({ level: "silent" }) });
});

afterAll(async () => {
  await audit.close();
  await database.close();
});

describe("a flood", () => {
  test("of refusals leaves room for the rows of others, and is counted", async () => {
    const refused = { action: "request.refused", result: "refused", reason: "FORBIDDEN" } as const;
    for (let i = 0; i < 500; i++) audit.trail(ANN).note(refused);
    const BEN: TrailSource = { ...ANN, actor: { type: "user", id: randomUUID(), name: "ben" } };
    audit.trail(BEN).note(refused);
    audit.trail(ANN).note({ action: "session.logout" });
    await audit.flush();
    const rows = await query(url, "select actor_name, result, count(*)::int from audit group by 1, 2 order by 1, 2");
    expect(rows).toEqual([
      { actor_name: "ann", result: "ok", count: 1 },
      { actor_name: "ann", result: "refused", count: 60 },
      { actor_name: "ben", result: "refused", count: 1 },
    ]);
    expect(audit.counts).toMatchObject({ unnoted: 440, lost: 0 });
  });

  test("beyond what can be written is failing until most of it is written", async () => {
    for (let i = 0; i < 10_001; i++) audit.trail(ANN).note({ action: "device.wake" });
    expect(audit.counts).toMatchObject({ lost: 1, waiting: 10_000 });
    expect(audit.state).toBe("failing");
    await audit.flush();
    expect(audit.state).toBe("ok");
  });
});
