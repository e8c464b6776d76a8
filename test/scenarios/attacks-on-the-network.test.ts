import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt } from "jose";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EnrolGrant } from "#contracts/enrolment.ts";
import { createApi } from "#test/fixtures/api.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { enrolBody, freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
});

afterAll(() => hub.close());

test("who joins under the name of an agent that is there gets neither its credential nor its place", async () => {
  const agent = await startScriptedAgent(hub, { name: "Attic" });
  const anonymous = createApi(hub.url);
  expect(await anonymous.post("/agents/enrol", enrolBody("not a code", "Attic"))).toMatchObject({ status: 422 });
  expect(await anonymous.post("/agents/enrol", { ...enrolBody("", "Attic"), secret: "a".repeat(26) })).toMatchObject({
    status: 403,
  });

  const { body } = await hub.api.post("/enrolments", {});
  const joined = await anonymous.post("/agents/enrol", enrolBody(body.code, "Attic"));
  const grant = EnrolGrant.parse(decodeJwt(joined.body.grant));
  expect(JSON.stringify(joined.body)).not.toContain(agent.password);
  expect([grant.agentId, grant.agent, grant.password]).not.toContain(agent.id);
  expect(grant.agent).not.toBe(agent.key);
  const asAgent = { username: agent.username, password: grant.password, reconnectPeriod: 0 };
  await expect(connectAsync(hub.mqttUrl, asAgent)).rejects.toThrow(/bad username or password/i);
  expect(await hub.api.get(`/agents/${agent.id}`)).toMatchObject({ body: { status: "online" } });
  await agent.close();
});

test("no address that somebody types makes the hub call a machine inside", async () => {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    calls.push(String(request.url));
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.on("connection", () => calls.push("a connection"));
  const datagrams = createSocket("udp4", () => calls.push("a datagram")).bind(port, "127.0.0.1");
  const hosts = [
    "127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
  ];

  for (const address of ["127.0.0.1", "localhost", "::1"]) {
    const watch = { icmp: true, arp: true, tcpPorts: [port], intervalSeconds: 1 };
    const wake = { addresses: ["127.0.0.1"], ports: [port] };
    const { body } = await hub.api.post("/devices", { name: "Inside", mac: freshMac(), address, watch, wake });
    await hub.api.post(`/devices/${body.id}/wake`, { force: true });
  }
  for (const host of [...hosts, "169.254.169.254"])
    for (const scheme of ["http", "https"]) {
      const issuer = `${scheme}://${host}:${port}`;
      const answer = await hub.api.put("/config/oidc", {
        enabled: true,
        issuer,
        clientId: "x",
        clientSecret: "y",
      });
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: "issuer" }] } });
    }
  for (const issuer of ["file:///etc/passwd", "gopher://127.0.0.1:1", `https://user:pass@127.0.0.1:${port}`])
    expect(await hub.api.put("/config/oidc", { enabled: true, issuer, clientId: "x" })).toMatchObject({
      status: 422,
    });
  expect(calls).toEqual([]);

  await fetch(`http://127.0.0.1:${port}/seen`);
  expect(calls).toContain("/seen");
  datagrams.close();
  server.close();
});
