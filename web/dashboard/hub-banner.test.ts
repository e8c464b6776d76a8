import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { mounted } from "../fixtures/mounted.ts";
import { NOW } from "../fixtures/rows.ts";
import { HubBanner } from "./hub-banner.ts";

const words = async (properties: Partial<HubBanner>) => {
  await mounted(HubBanner, properties);
  return page.getByRole("status");
};

test.each([
  ["the connection is live", { connection: "live", heardAt: NOW }],
  ["nothing was heard yet", { connection: "connecting" }],
] as const)("nothing is said while %s", async (_what, properties) => {
  const status = await words(properties);
  expect(status.element().textContent?.trim()).toBe("");
});

test("a lost connection is said, and of when that is what is shown", async () => {
  const status = await words({ connection: "lost", heardAt: NOW });
  await expect.element(status).toMatchTextContent(/connection to the hub is lost/);
  await expect.element(status).toMatchTextContent(/from 21 Nov 2026.* 13:00:00/);
});

test("a connection that was lost before anything came claims nothing about what is shown", async () => {
  const status = await words({ connection: "lost", heardAt: undefined });
  await expect.element(status).toMatchTextContent(/lost|cannot be reached/);
  await expect.element(status).not.toMatchTextContent(/is from/);
});

test("another version of the hub is said, with the way to its page", async () => {
  const status = await words({ connection: "live", heardAt: NOW, outdated: true });
  await expect.element(status.getByRole("button", { name: "Load its page" })).toBeVisible();
});

test("a database that does not answer is said, with what that means", async () => {
  const status = await words({ connection: "live", heardAt: NOW, database: "unavailable" });
  await expect.element(status).toMatchTextContent(/database does not answer.*Waking goes on/);
});

test("of a database nothing is known while the hub cannot be heard", async () => {
  const status = await words({ connection: "lost", heardAt: NOW, database: "unavailable" });
  await expect.element(status).not.toMatchTextContent(/database/);
});

test("a broker that does not answer is said, with what that means", async () => {
  const status = await words({ connection: "live", heardAt: NOW, broker: "unavailable" });
  await expect.element(status).toMatchTextContent(/broker does not answer.*nothing can be woken/);
});

test("an audit log that cannot be written is said, with what that means", async () => {
  const status = await words({ connection: "live", heardAt: NOW, audit: "failing" });
  await expect.element(status).toMatchTextContent(/audit log cannot be written.*changes are refused/);
});

test("without a database, only that is said", async () => {
  const status = await words({ connection: "live", heardAt: NOW, audit: "failing", database: "unavailable" });
  await expect.element(status).toMatchTextContent(/database does not answer/);
  await expect.element(status).not.toMatchTextContent(/audit/);
});
