import net from "node:net";
import { MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type ScriptedAgent, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** An agent's state folder was copied, by a thief or onto a second machine. */

let hub: TestHub;
let reader: TestMqttClient;
const clients: MqttClient[] = [];

beforeAll(async () => {
  hub = await startTestHub();
  const { username, password } = (await hub.api.post("/mqtt-clients", { name: "Reader", permissions: ["read"] })).body;
  reader = await connectMqtt(hub.mqttUrl, { username, password }, ["powerbeacon/#"]);
});

afterAll(async () => {
  for (const client of clients) client.end(true);
  await reader.close();
  await hub.close();
});

async function startAgent(): Promise<{ agent: ScriptedAgent; cluster: { id: string; key: string } }> {
  const cluster = (await hub.api.post("/clusters", { name: freshName("Home") })).body;
  return { agent: await startScriptedAgent(hub, { name: freshName("Pi"), clusterId: cluster.id }), cluster };
}

async function connectFrom(localAddress: string, { username, password }: ScriptedAgent, clientId = username) {
  const port = Number(new URL(hub.mqttUrl).port);
  const open = () => net.connect({ host: "127.0.0.1", port, localAddress });
  const client = new MqttClient(open, { clientId, username, password, reconnectPeriod: 0 });
  client.on("error", () => {}); // it is thrown out by the next one
  clients.push(client);
  await new Promise((resolve) => client.once("connect", resolve));
}

const reports = (agent: ScriptedAgent) =>
  reader
    .on(/^powerbeacon\/event$/)
    .map(({ text }) => JSON.parse(text))
    .filter((event) => event.event_type === "agent_copied" && event.agent === agent.key);

const noted = (agent: ScriptedAgent) =>
  query(hub.databaseUrl, "select details from audit where action = 'agent.copied' and target_id = $1", [agent.id]);

test("the credential of an agent that two clients have at once is reported, and a problem of its cluster", async () => {
  const { agent, cluster } = await startAgent();
  await connectFrom("127.0.0.2", agent, "thief");
  const reason = "Its credential is in use from 127.0.0.1 and 127.0.0.2";
  await expect.poll(() => reports(agent)).toMatchObject([{ cluster: cluster.key, reason }]);
  const problems = ["The credential of", "is in use twice"].map((words) => expect.stringContaining(words));
  await expect
    .poll(() => reader.lastJson(`powerbeacon/cluster/${cluster.key}/info`))
    .toMatchObject({ problem: true, problems: [problems[0]] });
  expect((await hub.api.get(`/clusters/${cluster.id}`)).body.problems).toEqual([problems[1]]);
  await expect.poll(() => noted(agent)).toEqual([{ details: '{"addresses":["127.0.0.1","127.0.0.2"]}' }]);

  await hub.api.delete(`/agents/${agent.id}`);
  await expect
    .poll(() => reader.lastJson(`powerbeacon/cluster/${cluster.key}/info`))
    .toMatchObject({ problem: false, problems: [] });
});

test("so is one whose connection goes back and forth between two addresses, and not one that comes back", async () => {
  const { agent } = await startAgent();
  for (let times = 0; times < 5; times++) await connectFrom("127.0.0.1", agent);
  await connectFrom("127.0.0.2", agent);
  await connectFrom("127.0.0.1", agent);
  expect(reports(agent)).toEqual([]);
  await connectFrom("127.0.0.2", agent);
  await expect.poll(() => reports(agent)).toHaveLength(1);
  await connectFrom("127.0.0.1", agent);
  await agent.close();
  await expect.poll(() => noted(agent)).toHaveLength(1);
});
