import { hashPassword, verifyPassword } from "#core/auth/passwords.ts";
import { createApi } from "#test/fixtures/api.ts";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import type { PartOptions } from "./part.ts";
import { busyWorkers } from "./process-figures.ts";
import { median, percentile, times } from "./statistics.ts";

const PASSWORD = "the password of the benchmark";
/** Strangers have ten tries a minute at one account. */
const LOG_INS_OF_ONE = 9;
const WAITING = 50;
const SAMPLE_MS = 2;

/** A log-in beside argon2 alone, and what 50 log-ins that wait do to everybody else. */
export async function measureLogIns({ report, cleanup, quick }: PartOptions): Promise<void> {
  const hub = await startHubProcess(cleanup, { TRUST_PROXY: "127.0.0.1" });
  const accounts = await times(quick ? 4 : 12, async (n) => {
    const username = `user-${n}`;
    await hub.api.post("/users", { username, password: PASSWORD, role: "user" });
    return username;
  });
  const hash = await hashPassword(PASSWORD);
  const pairs = await times((accounts.length - 1) * LOG_INS_OF_ONE, async (n) => {
    const username = accounts[Math.floor(n / LOG_INS_OF_ONE)] ?? "";
    const argonMs = await timeOf(() => verifyPassword(hash, PASSWORD));
    return { argonMs, logInMs: await timeOf(() => logIn(hub, username)) };
  });
  const logInMs = median(pairs.map((pair) => pair.logInMs));
  const argonMs = median(pairs.map((pair) => pair.argonMs));
  report.add({ name: "accounts.log-in.p50", value: logInMs, unit: "ms", floor: argonMs });
  report.add({ name: "accounts.log-in.beyond-argon2", value: logInMs - argonMs, unit: "ms", bound: { atMost: 15 } });
  await measureFlood({ report, hub });
}

/** Wrong passwords at accounts that nobody has, all at once: each of them costs argon2, and none opens anything. */
async function measureFlood({ report, hub }: Pick<PartOptions, "report"> & { hub: HubProcess }): Promise<void> {
  const health = () => timeOf(() => fetch(`${hub.url}/health`).then((answer) => answer.text()));
  const quiet = await times(200, health);
  const flood = { isOver: false };
  const logIns = Array.from({ length: WAITING }, (_, n) => logIn(hub, `nobody-${n}`, 401));
  const over = Promise.all(logIns).finally(() => (flood.isOver = true));
  const busy: number[] = [];
  const sampler = setInterval(() => busy.push(busyWorkers(hub.pid)), SAMPLE_MS);
  const during: number[] = [];
  while (!flood.isOver) during.push(await health());
  clearInterval(sampler);
  await over;
  const p99 = percentile(during, 0.99);
  report.add({ name: "accounts.flood.answer-meanwhile.p99", value: p99, unit: "ms", floor: percentile(quiet, 0.99) });
  // a look takes a while, in which one thread may have handed over to the next
  const atOnce = median(busy);
  report.add({ name: "accounts.flood.argon2-at-once", value: atOnce, unit: "threads", bound: { atMost: 2 } });
}

let addresses = 0;

async function logIn({ url }: HubProcess, username: string, expected = 200): Promise<void> {
  addresses++;
  const from = { "x-forwarded-for": `10.0.${addresses >> 8}.${addresses & 255}` };
  const { status } = await createApi(url).post("/auth/login", { username, password: PASSWORD }, from);
  if (status !== expected) throw new Error(`a log-in was answered with ${status}`);
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
