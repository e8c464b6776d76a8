import { z } from "zod";
import type { Database } from "../kernel/database.ts";
import type { App } from "../kernel/routes.ts";

const Ready = z.object({ ready: z.boolean(), database: z.enum(["ok", "unavailable"]) });

/** `/health`: this process answers. `/ready`: so does its database. */
export function healthRoutes(app: App, { database }: { database: Database }): void {
  app.get(
    "/health",
    {
      config: { permission: "public" },
      schema: { summary: "Does the hub run?", response: { 200: z.object({ ok: z.literal(true) }) } },
    },
    async () => ({ ok: true as const }),
  );

  app.get(
    "/ready",
    {
      config: { permission: "public" },
      schema: { summary: "Do the hub and its database answer?", response: { 200: Ready, 503: Ready } },
    },
    async (_request, reply) => {
      const ready = await database.ping();
      return reply.code(ready ? 200 : 503).send({ ready, database: ready ? "ok" : "unavailable" });
    },
  );
}
