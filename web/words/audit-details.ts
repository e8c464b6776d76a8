import type { AuditRow } from "#contracts/api/audit.ts";
import type { Role, TokenPermission } from "#contracts/permissions.ts";
import type { MqttPermission } from "#contracts/principal.ts";
import { MQTT_PERMISSION_WORDS } from "./mqtt.ts";
import { ROLE_WORDS, TOKEN_PERMISSION_WORDS } from "./roles.ts";

interface Detail {
  readonly label: string;
  readonly words?: (value: unknown) => string;
  /** As it stands in the one line of its row; left out = only below it. */
  readonly inLine?: (words: string, row: AuditRow) => string;
}

const as = (words: string): string => words;

/** What the hub notes beside an action, by its key. */
const DETAILS: Readonly<Record<string, Detail>> = {
  fields: { label: "Changed", words: (value) => listed(value, FIELD_WORDS), inLine: changedBeside },
  role: { label: "Role", words: roleWords, inLine: (words) => `role: ${words}` },
  name: { label: "Name", inLine: (words) => `name: ${words}` },
  permissions: { label: "May", words: (value) => listed(value, PERMISSION_WORDS), inLine: (words) => `may: ${words}` },
  clusterIds: { label: "Clusters", words: (value) => (value === null ? "all" : counted(value)) },
  route: { label: "Asked for", inLine: as },
  action: { label: "Tried to", words: (value) => inWords(value, MQTT_ACTION_WORDS) },
  topic: {
    label: "Topic",
    inLine: (topic, { details }) => `${inWords(details?.["action"], MQTT_ACTION_WORDS)} ${topic}`,
  },
  why: { label: "Because" },
  provider: { label: "By the provider", inLine: (words) => `by ${words}` },
  door: {
    label: "By",
    words: (value) => inWords(value, DOOR_WORDS),
    inLine: (words, { action }) => (action === "session.login" ? `by ${words}` : ""),
  },
  clientId: { label: "Client id" },
  devices: { label: "Devices" },
  count: { label: "Devices asked for", inLine: (words) => (words === "1" ? "" : `${words} devices`) },
  begun: { label: "Wakes begun" },
  mac: { label: "MAC address", inLine: as },
  imported: { label: "Imported from", inLine: (words) => `imported from ${words}` },
  addresses: { label: "Used from", inLine: (words) => `from ${words}` },
  heir: { label: "What was theirs went to", inLine: (words) => `what was theirs went to ${words}` },
  cluster: { label: "Cluster", inLine: (words) => `for ${words}` },
  uses: { label: "For so many agents" },
  expiresInMinutes: { label: "Good for (minutes)" },
  enrolment: { label: "Id of the join code" },
  wake: { label: "Id of the wake" },
  issuer: { label: "Issuer" },
  source: { label: "Told by" },
  rows: { label: "Entries", inLine: (words) => `${words} entries` },
  lastSeq: { label: "Up to number" },
  lastHash: { label: "Hash of that" },
};

/** The fields of all forms, as they are called there. */
const FIELD_WORDS: Readonly<Record<string, string>> = {
  email: "e-mail",
  fullName: "full name",
  mustChangePassword: "has to change the password",
  mac: "MAC address",
  os: "operating system",
  clusterId: "cluster",
  agentIds: "agents",
  deviceIds: "devices",
  showInHomeAssistant: "shown in Home Assistant",
  secureOn: "SecureOn password",
  wake: "waking",
  watch: "watching",
  ownerId: "owner",
  shares: "sharing",
  clientId: "client id",
  clientSecret: "client secret",
  autoProvision: "accounts at the first log-in",
  allowedDomains: "e-mail domains",
  roleClaim: "claim of roles",
  roleMapping: "roles by claim",
  defaultRole: "role of new accounts",
};

const MQTT_ACTION_WORDS: Readonly<Record<string, string>> = {
  publish: "publish to",
  subscribe: "subscribe to",
  will: "leave a will for",
  receive: "receive",
};

const DOOR_WORDS: Readonly<Record<string, string>> = { http: "HTTP", mqtt: "MQTT", "mqtt-person": "MQTT, by a token" };

const PERMISSION_WORDS: Readonly<Record<string, string>> = {
  ...(TOKEN_PERMISSION_WORDS satisfies Record<TokenPermission, string>),
  ...Object.fromEntries(
    Object.entries(MQTT_PERMISSION_WORDS satisfies Record<MqttPermission, unknown>).map(([permission, { label }]) => [
      permission,
      label.toLowerCase(),
    ]),
  ),
};

/** Everything that was noted beside the action: what it is, and in words. */
export function detailWords({ details }: AuditRow): [label: string, words: string][] {
  return Object.entries(details ?? {}).map(([key, value]) => [detailOf(key).label, wordsOf(key, value)]);
}

/** What a row tells in its one line beside the action and what it was done to; empty where that says it all. */
export function gistWords(row: AuditRow): string {
  const parts = Object.entries(row.details ?? {}).flatMap(([key, value]) => {
    const words = wordsOf(key, value);
    return words === "" ? [] : (detailOf(key).inLine?.(words, row) ?? []);
  });
  return parts.filter((part) => part !== "").join(" · ");
}

function detailOf(key: string): Detail {
  return Object.hasOwn(DETAILS, key) ? (DETAILS[key] ?? { label: key }) : { label: key };
}

function wordsOf(key: string, value: unknown): string {
  const { words } = detailOf(key);
  if (words) return words(value);
  if (typeof value === "string") return value;
  const isPlainList = Array.isArray(value) && value.every((each) => typeof each === "string");
  return isPlainList ? value.join(", ") : JSON.stringify(value);
}

/** A role is told with what it became. */
function changedBeside(_words: string, { details }: AuditRow): string {
  const fields = Array.isArray(details?.["fields"]) ? details["fields"] : [];
  return listed(
    fields.filter((field) => field !== "role" || details?.["role"] === undefined),
    FIELD_WORDS,
  );
}

function roleWords(role: unknown): string {
  if (role === null) return "none in this site";
  return typeof role === "string" && Object.hasOwn(ROLE_WORDS, role)
    ? ROLE_WORDS[role as Role].label
    : JSON.stringify(role);
}

function listed(value: unknown, words: Readonly<Record<string, string>>): string {
  return Array.isArray(value) ? value.map((each) => inWords(each, words)).join(", ") : JSON.stringify(value);
}

/** What this page does not know, of a newer hub, keeps its own name. */
function inWords(value: unknown, words: Readonly<Record<string, string>>): string {
  const name = String(value);
  return (Object.hasOwn(words, name) ? words[name] : undefined) ?? name;
}

function counted(value: unknown): string {
  return Array.isArray(value) ? String(value.length) : JSON.stringify(value);
}
