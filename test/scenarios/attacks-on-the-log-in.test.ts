import bcrypt from "bcrypt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiAnswer, createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import {
  BEHIND_PROXY,
  type Person,
  type TestSite,
  addPerson,
  firstSite,
  fromElsewhere,
} from "#test/fixtures/people.ts";
import { passwordsOfPeople, quickPasswords } from "#test/fixtures/quick-passwords.ts";
import { enrolBody, freshName } from "#test/fixtures/scripted-agent.ts";

/** What somebody tries who has no account, or once had one. */

const FLOOD = 150;

let hub: TestHub;
let home: TestSite;

beforeAll(async () => {
  passwordsOfPeople();
  hub = await startTestHub(BEHIND_PROXY);
  home = await firstSite(hub);
});

afterAll(async () => {
  quickPasswords();
  await hub.close();
});

const tryLogIn = (username: string, password: string, headers: Record<string, string> = fromElsewhere()) =>
  createApi(hub.url).post("/auth/login", { username, password }, headers);
const person = () => addPerson(hub, home, "user");
const times = <Result>(count: number, work: (n: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)));

describe("a flood of 150 calls at once", () => {
  const refused = (answers: readonly ApiAnswer[]) => answers.filter(({ status }) => status === 429);

  test.each<[string, (headers: Record<string, string>) => Promise<ApiAnswer>]>([
    ["log-ins", (headers) => tryLogIn(freshName("nobody"), "guess", headers)],
    ["registrations", (headers) => createApi(hub.url).post("/setup/init", newcomer(), headers)],
    ["joins", (headers) => createApi(hub.url).post("/agents/enrol", enrolBody("", "Agent"), headers)],
  ])("of %s from one address gets ten answers, and the rest is told to wait", async (_what, call) => {
    const headers = fromElsewhere();
    const answers = await times(FLOOD, () => call(headers));
    expect(refused(answers)).toHaveLength(FLOOD - 10);
    for (const { body, headers } of refused(answers)) {
      expect(body.code).toBe("TOO_MANY_REQUESTS");
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    }
  });

  test("of registrations makes no account", async () => {
    const before = await query(hub.databaseUrl, 'select id from "user"');
    await times(FLOOD, () => createApi(hub.url).post("/setup/init", newcomer(), fromElsewhere()));
    await times(FLOOD, () => createApi(hub.url).post("/users", { ...newcomer(), role: "viewer" }, fromElsewhere()));
    expect(await query(hub.databaseUrl, 'select id from "user"')).toEqual(before);
  });

  test("of log-ins from everywhere gets ten tries at one account, whose owner comes in all the same", async () => {
    const owner = await person();
    const browser = fromElsewhere();
    const first = await tryLogIn(owner.username, owner.password, browser);
    const cookie = first.headers
      .getSetCookie()
      .map((line) => line.split(";", 1)[0])
      .join("; ");
    const answers = await times(FLOOD, (n) => tryLogIn(owner.username, `guess ${n}`));
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(10);
    expect(refused(answers).length).toBeGreaterThanOrEqual(FLOOD - 10);
    // from the same address as before, or by the same browser from anywhere
    expect(await tryLogIn(owner.username, owner.password, browser)).toMatchObject({ status: 200 });
    expect(await tryLogIn(owner.username, owner.password, { ...fromElsewhere(), cookie })).toMatchObject({
      status: 200,
    });
  });

  test("that is refused anyway counts, too", async () => {
    const slow = await startTestHub(BEHIND_PROXY, { callsPerMinute: 20 });
    const viewer = await addPerson(slow, await firstSite(slow), "viewer");
    const byViewer = await times(30, () => viewer.api.post("/devices", {}));
    const address = fromElsewhere();
    const byStranger = await times(30, () => createApi(slow.url, "made up").get("/devices", address));
    expect(refused(byViewer)).toHaveLength(10);
    expect(refused(byStranger)).toHaveLength(10);
    await slow.close();
  });

  function newcomer() {
    return { username: freshName("new").replace(" ", "-"), password: "long enough", setupCode: "guess" };
  }
});

test("guesses from the owner's own address do not keep the owner's browser out", async () => {
  const owner = await person();
  const address = fromElsewhere();
  const first = await tryLogIn(owner.username, owner.password, address);
  const cookie = first.headers
    .getSetCookie()
    .map((line) => line.split(";", 1)[0])
    .join("; ");
  const guesses = [];
  for (let n = 0; n < 7; n++) guesses.push((await tryLogIn(owner.username, "guess", address)).status);
  expect(guesses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  expect(await tryLogIn(owner.username, owner.password, { ...address, cookie })).toMatchObject({ status: 200 });
});

test("who exists is told neither by what a log-in answers nor by how long it takes", async () => {
  const [somebody, disabled] = [await person(), await person()];
  await home.api.patch(`/users/${disabled.id}`, { enabled: false });
  const imported = { username: "imported", passwordHash: await bcrypt.hash("the old password", 13), role: "user" };
  const { id } = (await home.api.post("/users", imported)).body;
  const kinds = {
    "nobody at all": () => tryLogIn("nobody", "wrong"),
    somebody: () => tryLogIn(somebody.username, "wrong"),
    "somebody who is disabled": () => tryLogIn(disabled.username, disabled.password),
    "somebody whose hash came from elsewhere": () => tryLogIn(imported.username, "wrong"),
  };
  const answers = new Set<string>();
  /** How much longer the slowest of them took than the fastest. */
  const spread = async () => {
    const taken = await Promise.all(
      Object.values(kinds).map(async (attempt) => {
        const startedMs = performance.now();
        const { status, body, headers } = await attempt();
        const ms = performance.now() - startedMs;
        const { requestId: _, ...rest } = body;
        const names = [...headers.keys()].filter((name) => !/^(date|x-request-id)$/.test(name));
        answers.add(JSON.stringify([status, rest, names, headers.get("content-length")]));
        return ms;
      }),
    );
    return Math.max(...taken) - Math.min(...taken);
  };
  // on a machine that is busy with other things a moment may tell more, to nobody's use
  await expect.poll(spread, { timeout: 20_000 }).toBeLessThan(60);
  expect([...answers]).toEqual([expect.stringContaining("BAD_CREDENTIALS")]);
  await home.api.delete(`/users/${id}`);
});

describe("whose account changes while a log-in waits for its turn", () => {
  /** Log-ins that wait for each other, and a change among them. @returns the tokens that were given out. */
  async function logInsAround(somebody: Person, change: () => Promise<unknown>): Promise<string[]> {
    const logIn = () => tryLogIn(somebody.username, somebody.password);
    const answers = Promise.all([
      ...Array.from({ length: 4 }, logIn),
      change().then(() => ({ body: {} })),
      ...Array.from({ length: 4 }, logIn),
    ]);
    return (await answers).flatMap(({ body }) => (body.access_token ? [body.access_token as string] : []));
  }

  const isLetIn = async (token: string) => (await createApi(hub.url, token).get("/auth/me")).status === 200;

  test.each([
    ["disabled", { enabled: false }],
    ["given another password", { password: "set by an admin" }],
  ])("and is %s stays out", async (_what, change) => {
    const somebody = await person();
    const tokens = await logInsAround(somebody, () => home.api.patch(`/users/${somebody.id}`, change));
    expect(await Promise.all([...tokens, somebody.token].map(isLetIn))).not.toContain(true);
    expect(await tryLogIn(somebody.username, somebody.password)).toMatchObject({ status: 401 });
  });

  test("and is made less is less, in every session", async () => {
    const somebody = await addPerson(hub, home, "superuser");
    const tokens = await logInsAround(somebody, () => home.api.patch(`/users/${somebody.id}`, { role: "viewer" }));
    for (const token of [...tokens, somebody.token])
      expect((await createApi(hub.url, token).get("/auth/me")).body.role).toBe("viewer");
  });

  test("by a password of their own, keeps the one session that changed it", async () => {
    const somebody = await person();
    const change = { currentPassword: somebody.password, password: "a better password" };
    const tokens = await logInsAround(somebody, () => somebody.api.patch("/auth/me", change));
    expect(await Promise.all(tokens.map(isLetIn))).not.toContain(true);
    expect(await isLetIn(somebody.token)).toBe(true);
  });
});

test("of two passwords set at once with the same old one, one is the password", async () => {
  const somebody = await person();
  const wanted = ["the first of two", "the second of two"];
  const change = (password: string) => somebody.api.patch("/auth/me", { currentPassword: somebody.password, password });
  const answers = await Promise.all(wanted.map(change));
  expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 422]));
  const set = wanted[answers.findIndex(({ status }) => status === 200)] ?? "";
  const other = wanted.find((password) => password !== set) ?? "";
  expect(await tryLogIn(somebody.username, set)).toMatchObject({ status: 200 });
  for (const password of [other, somebody.password])
    expect(await tryLogIn(somebody.username, password)).toMatchObject({ status: 401 });
});

test("of several superusers who remove each other in every way at once, one remains", async () => {
  const quarrel = await startTestHub(BEHIND_PROXY);
  const site = await firstSite(quarrel);
  const rivals = await times(3, () => addPerson(quarrel, site, "superuser"));
  const { id: first } = (await quarrel.api.get("/auth/me")).body;
  const all = [first, ...rivals.map(({ id }) => id)];
  const removals = rivals.flatMap(({ api }) =>
    all.flatMap((id) => [
      api.patch(`/users/${id}`, { role: "viewer" }),
      api.patch(`/users/${id}`, { enabled: false }),
      api.delete(`/users/${id}`),
    ]),
  );
  await Promise.all(removals);
  const left = await query(quarrel.databaseUrl, 'select id from "user" where superuser and enabled');
  expect(left.length).toBeGreaterThanOrEqual(1);
  await quarrel.close();
});
