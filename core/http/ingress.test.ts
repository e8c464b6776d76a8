import Fastify from "fastify";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { type IngressOptions, startIngress } from "./ingress.ts";

const PATH = "/api/hassio_ingress/Zq3vYc0oT5p8r-1nW_7kLxE2mB4sD6fGhJ9uIaOeRtY";

/** A server that answers with where it thinks that it was asked, and by whom. */
async function start(options: Partial<IngressOptions> = {}): Promise<string> {
  const app = Fastify({ trustProxy: ["127.0.0.1", "172.30.32.1"] }); // as the app sets it
  app.get("/", async ({ host, ip, protocol }) => ({ host, ip, protocol }));
  await app.ready();
  const ingress = await startIngress(app, {
    host: "127.0.0.1",
    port: 0,
    hubPort: 8080,
    publicUrl: null,
    ...options,
  });
  onTestFinished(async () => {
    await ingress.close();
    await app.close();
  });
  return `http://127.0.0.1:${ingress.port}`;
}

test("only the supervisor's address is let in, and everybody else is let go of before a word", async () => {
  const socket = connect(Number(new URL(await start()).port), "127.0.0.1");
  socket.on("error", () => {}); // its end is what counts
  expect(await text(socket).catch(() => "")).toBe("");
  const url = await start({ from: "127.0.0.1" });
  expect((await fetch(url, { headers: { "x-ingress-path": PATH } })).status).toBe(200);
});

test.each([
  ["none", undefined],
  ["an empty one", ""],
  ["another path", "/api/devices"],
  ["a path that goes on", `${PATH}/more`],
  ["a path with a way up", "/api/hassio_ingress/../../elsewhere-and-so-on"],
  ["an address", `https://evil.example${PATH}`],
  ["a host", `/${PATH}`],
  ["markup", `${PATH}"><script>`],
  ["another attribute of a cookie", `${PATH}; Domain=example.org`],
  ["a short token", "/api/hassio_ingress/abc"],
  ["two of them", `${PATH}, ${PATH}`],
])("a call whose path is %s is not the supervisor's", async (_what, path) => {
  const url = await start({ from: "127.0.0.1" });
  const answer = await fetch(url, path === undefined ? {} : { headers: { "x-ingress-path": path } });
  expect(answer.status).toBe(403);
});

test.each([
  ["homeassistant.local:8123", "homeassistant.local:8080"],
  ["[fd00::1]:8123", "[fd00::1]:8080"],
  ["ha.example.org", "ha.example.org:8080"],
  ['a"><script>', "localhost:8080"],
  ["two.example, one.example", "localhost:8080"],
])("the hub of a call to %s is at %s", async (host, own) => {
  const url = await start({ from: "127.0.0.1" });
  const headers = { "x-ingress-path": PATH, "x-forwarded-host": host, "x-forwarded-proto": "https" };
  expect(await (await fetch(url, { headers })).json()).toMatchObject({ host: own, protocol: "http" });
});

test("a call is from whoever called Home Assistant, where it and the supervisor are named as proxies", async () => {
  const url = await start({ from: "127.0.0.1" });
  const headers = { "x-ingress-path": PATH, "x-forwarded-for": "1.2.3.4, 203.0.113.7, 172.30.32.1" };
  expect(await (await fetch(url, { headers })).json()).toMatchObject({ ip: "203.0.113.7" });
});

test("a port that is taken is answered in a sentence", async () => {
  const { port } = new URL(await start());
  await expect(start({ port: Number(port) })).rejects.toThrow(
    `The port ${port} for Home Assistant's ingress could not`,
  );
});
