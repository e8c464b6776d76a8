import { discoveryTopics } from "#contracts/discovery.ts";
import type { MqttPermission } from "#contracts/principal.ts";
import { type KeyedTopic, responsePrefix, topics } from "#contracts/topics.ts";
import type {
  AgentClient,
  BrokerClients,
  FileClient,
  IntegrationClient,
  Reach,
  ReachedThings,
} from "./broker-clients.ts";
import { verbsFor } from "./asking.rules.ts";
import { problemOfUsername } from "./broker-clients.ts";

/**
 * Mosquitto's ACL file: the table "Who may do what" of the MQTT API, one section for each client.
 *
 * Mosquitto checks each message when it is forwarded, so a filter wider than the rights may be subscribed to.
 * @see man 5 mosquitto.conf, acl_file
 */
export function aclFile(clients: BrokerClients): string {
  const { hub, agents, integrations } = clients;
  const sections = [
    ...(hub ? [hubSection(hub, clients)] : []),
    ...agents.toSorted(byUsername).map((agent) => agentSection(agent, clients)),
    ...integrations
      .filter(({ username }) => username !== hub?.username)
      .toSorted(byUsername)
      .map((integration) => integrationSection(integration, clients)),
  ];
  return `${HEAD}\n${sections.map((section) => section.join("\n")).join("\n\n")}\n`;
}

const HEAD = `# Written by PowerBeacon, and written anew at every change: edit a copy, not this file. Anonymous clients may do nothing.
#
# What a file like this cannot say, PowerBeacon sees to by itself:
# - Agents see the plain requests of their cluster beside the signed orders. They obey nothing that is not signed.
# - Whoever may wake may also publish what looks like an order. Without the hub's signature it is none.
# - Requests could be retained. The hub refuses those; agents refuse retained orders.
# - Whoever has the permission "discovery" may write configs, not only clear them: those of its own things, with all clusters
#   anybody's.
# - The hub does not learn who asks on hub/request. Only who may do something with everything may ask for it.
# - Persons' tokens are in neither file: their rights change with every share. They need a broker that asks the hub.
`;

type Access = "read" | "write" | "readwrite";

function byUsername(one: FileClient, other: FileClient): number {
  return one.username < other.username ? -1 : 1;
}

function hubSection(hub: FileClient, { baseTopic, discoveryPrefix }: BrokerClients): string[] {
  const problem = problemOfUsername(hub.username);
  if (problem !== null) return [`# The hub itself is missing here: ${problem}`];
  return [
    "# The hub itself",
    `user ${hub.username}`,
    line("readwrite", `${baseTopic}/#`),
    line("readwrite", `${discoveryPrefix}/#`),
  ];
}

const AGENT_WRITES = [
  topics.agentStatus,
  topics.agentHeartbeat,
  topics.agentInventory,
  topics.agentReceipt,
  topics.agentSightings,
  topics.agentUpdate,
];
const AGENT_READS = [topics.agentStatus, topics.agentOrder, topics.agentWatch];

function agentSection({ username, key, cluster }: AgentClient, { baseTopic }: BrokerClients): string[] {
  const own = (access: Access, list: readonly KeyedTopic[]) =>
    list.map((topic) => line(access, `${baseTopic}/${topic.for(key)}`));
  const both = AGENT_WRITES.filter((topic) => AGENT_READS.includes(topic));
  return [
    `# agent ${key}`,
    `user ${username}`,
    ...own("readwrite", both),
    ...own(
      "write",
      AGENT_WRITES.filter((topic) => !both.includes(topic)),
    ),
    ...own(
      "read",
      AGENT_READS.filter((topic) => !both.includes(topic)),
    ),
    line("read", `${baseTopic}/${topics.clusterWake.for(cluster)}`),
    line("read", `${baseTopic}/${topics.hubStatus.name}`),
    line("read", `${baseTopic}/${topics.hubInfo.name}`),
  ];
}

type Kind = "clusters" | "devices" | "agents" | "schedules";

/** What the permission `read` opens, by what the free level names. */
const READS: readonly (readonly [Kind, readonly KeyedTopic[]])[] = [
  ["clusters", [topics.clusterState, topics.clusterInfo, topics.clusterWakeResult]],
  [
    "devices",
    [topics.deviceState, topics.deviceAvailability, topics.deviceInfo, topics.deviceResult, topics.deviceEvent],
  ],
  ["agents", [topics.agentStatus, topics.agentHeartbeat, topics.agentUpdate]],
  ["schedules", [topics.scheduleState, topics.scheduleInfo]],
];
const WAKES: typeof READS = [["clusters", [topics.clusterWake]]];
const SETS: typeof READS = [
  ["clusters", [topics.clusterSet]],
  ["devices", [topics.deviceSet]],
  ["schedules", [topics.scheduleSet]],
];

function integrationSection(client: IntegrationClient, { baseTopic, discoveryPrefix }: BrokerClients): string[] {
  const { username, permissions, reach } = client;
  const under = (access: Access, names: readonly string[]) => names.map((name) => line(access, `${baseTopic}/${name}`));
  const may = (...some: MqttPermission[]) => some.some((permission) => permissions.has(permission));
  return [
    `# integration, may ${[...permissions].join(", ")}`,
    `user ${username}`,
    ...under("read", [`${responsePrefix(username)}#`]),
    ...under(
      "write",
      verbsFor(permissions, reach === "everything").map((verb) => topics.hubRequest.for(verb)),
    ),
    ...(may("read") ? under("read", [...HUB_READS, ...siteReads(reach), ...namesOf(READS, reach)]) : []),
    ...(may("wake") ? under("write", namesOf(WAKES, reach)) : []),
    ...(may("wake", "power") ? under("write", namesOf(SETS, reach)) : []),
    ...(may("discovery") ? discoveryLines(reach, discoveryPrefix) : []),
  ];
}

const HUB_READS = [topics.hubStatus.name, topics.hubInfo.name, topics.hubUpdate.name];

/** What tells of everything is for those who reach everything. */
function siteReads(reach: Reach): string[] {
  return reach === "everything" ? [topics.event.name, topics.hubResponse.filter] : [];
}

function namesOf(table: typeof READS, reach: Reach): string[] {
  return table.flatMap(([kind, list]) => list.flatMap((topic) => namesIn(topic, reach, kind)));
}

function namesIn(topic: KeyedTopic, reach: Reach, kind: keyof ReachedThings): string[] {
  if (reach === "everything") return [topic.filter];
  return reach[kind].toSorted().map((key) => topic.for(key));
}

function discoveryLines(reach: Reach, prefix: string): string[] {
  const { status, config, component } = discoveryTopics(prefix);
  const writes = [status.name, config.filter, component.filter].map((topic) => line("write", topic));
  if (reach === "everything") return [line("read", `${prefix}/#`), ...writes];
  return [line("readwrite", status.name), ...reach.configs.toSorted().map((topic) => line("readwrite", topic))];
}

function line(access: Access, topic: string): string {
  return `topic ${access} ${topic}`;
}
