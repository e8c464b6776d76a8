import { describe, expect, onTestFinished, test } from "vitest";
import { chooseSite, chosenSite, forgetSite } from "../api/site.ts";
import { heard } from "../fixtures/mounted.ts";
import { SITE, me } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { SessionStore } from "./session.ts";

const NOBODY = () => problem("UNAUTHENTICATED", "Log in first", [], 401);

describe("the session", () => {
  test("knows what the account may, and tells when that changes", async () => {
    const hub = scriptedHub();
    const store = new SessionStore();
    const changes = heard(store, "change");
    expect(store.may("device:read")).toBe(false);
    hub.answers("GET /auth/me", () => json(me({ role: "user" })));
    await store.load();
    expect([store.may("device:create"), store.may("user:manage")]).toEqual([true, false]);
    expect(changes).toHaveLength(1);
  });

  test("keeps what it knows of somebody whose session ended, until it is told to forget", async () => {
    const hub = scriptedHub();
    const store = new SessionStore();
    const account = me();
    hub.answers("GET /auth/me", () => json(account));
    await store.load();
    hub.answers("GET /auth/me", NOBODY);
    expect(await store.load()).toBeUndefined();
    expect(store.me).toEqual(account);
    store.forget();
    expect(store.me).toBeUndefined();
  });

  test("leaves the site that somebody chose to nobody else", async () => {
    chooseSite(SITE.key);
    onTestFinished(forgetSite);
    new SessionStore().forget();
    expect(chosenSite()).toBeNull();
  });
});
