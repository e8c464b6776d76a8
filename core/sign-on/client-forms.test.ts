import { randomUUID } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { type SignOnScene, startSignOn } from "#test/fixtures/sign-on.ts";

let scene: SignOnScene | undefined;

afterEach(() => scene?.close());

test("a provider that takes the client's secret in the other form only is shown it so", async () => {
  scene = await startSignOn({ refusesBasic: true });
  const tokenCalls = () => scene?.provider.asked.filter((path) => path === "/token").length;
  const page = `${scene.hub.url}/`;
  scene.provider.person = { sub: randomUUID() };
  expect((await scene.logIn(scene.visitor())).url).toBe(page);
  expect(tokenCalls()).toBe(2);
  expect((await scene.logIn(scene.visitor())).url).toBe(page);
  expect(tokenCalls()).toBe(3); // it is known by now
});

test("a client without a secret is let in by the proof of its key alone", async () => {
  const client = { token_endpoint_auth_method: "none", client_secret: undefined };
  scene = await startSignOn({ client });
  scene.provider.person = { sub: randomUUID() };
  await scene.configure({ clientSecret: null });
  expect((await scene.logIn(scene.visitor())).url).toBe(`${scene.hub.url}/`);
});
