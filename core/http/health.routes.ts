import { z } from "zod";
import type { Database } from "../kernel/database.ts";
import type { Link } from "../kernel/link.ts";
import type { App } from "../kernel/routes.ts";

const Answers = z.enum(["ok", "unavailable"]);
const Ready = z.object({ ready: z.boolean(), database: Answers, broker: Answers });

/** `/health`: this process answers. `/ready`: so do its database and its MQTT broker. */
export function healthRoutes(app: App, { database, link }: { database: Database; link: Link }): void {
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
      schema: { summary: "Do the hub, its database and its broker answer?", response: { 200: Ready, 503: Ready } },
    },
    async (_request, reply) => {
      const [databaseAnswers, brokerAnswers] = [await database.ping(), link.isConnected];
      const ready = databaseAnswers && brokerAnswers;
      return reply
        .code(ready ? 200 : 503)
        .send({ ready, database: word(databaseAnswers), broker: word(brokerAnswers) });
    },
  );
}

function word(answers: boolean): z.infer<typeof Answers> {
  return answers ? "ok" : "unavailable";
}
