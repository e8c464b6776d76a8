import { afterEach, expect, test } from "vitest";
import { createOutbound } from "../kernel/outbound.ts";
import { CLIENT, type TestProvider, startOpenIdProvider } from "#test/fixtures/openid-provider.ts";
import { Discoveries } from "./discoveries.ts";

let provider: TestProvider | undefined;

afterEach(() => provider?.close());

async function openScene() {
  provider = await startOpenIdProvider({ hubUrl: "http://127.0.0.1:1" });
  const started = provider;
  const discoveries = new Discoveries(createOutbound({ allowed: ["127.0.0.1"] }), { pauseMs: 300 });
  const access = { id: "a", updatedAt: new Date(0), issuer: started.issuer, ...CLIENT };
  return { provider: started, discoveries, access, asked: () => started.asked.length };
}

test("a provider is asked once, even by many at the same moment", async () => {
  const { discoveries, access, asked } = await openScene();
  await Promise.all([discoveries.of(access), discoveries.of(access), discoveries.of(access)]);
  await discoveries.of(access);
  expect(asked()).toBe(1);
});

test("a provider whose settings changed is asked anew", async () => {
  const { discoveries, access, asked } = await openScene();
  await discoveries.of(access);
  await discoveries.of({ ...access, updatedAt: new Date(1) });
  expect(asked()).toBe(2);
});

test("a provider that was down is left alone for a moment, then asked again", async () => {
  const { provider, discoveries, access, asked } = await openScene();
  await provider.stop();
  await expect(discoveries.of(access)).rejects.toThrow();
  await provider.start();
  await expect(discoveries.of(access)).rejects.toThrow();
  expect(asked()).toBe(0);
  await expect.poll(() => discoveries.of(access).then(() => "found", String)).toBe("found");
  expect(asked()).toBe(1);
});
