import { type BrokerClients, type FileClient, problemOfUsername } from "./broker-clients.ts";

/** Mosquitto's password file: one line for each client, as `mosquitto_passwd` writes them. @see man 1 mosquitto_passwd */
export function passwordFile({ hub, agents, integrations }: BrokerClients): string {
  const lines = [
    ...(hub ? [hubLine(hub)] : ["# The hub shows no user name: set MQTT_USERNAME and MQTT_PASSWORD"]),
    ...agents
      .map((agent) =>
        lineOf(agent, `# ${agent.username} ${OLDER} (agent ${agent.key}): let it join again, with --replace`),
      )
      .toSorted(),
    ...integrations
      .map((integration) =>
        integration.username === hub?.username
          ? `# ${integration.username} is the hub's own name here: make another MQTT client in place of this one`
          : lineOf(integration, `# ${integration.username} ${OLDER}: make another MQTT client in its place`),
      )
      .toSorted(),
  ];
  return `${HEAD}\n${lines.join("\n")}\n`;
}

const HEAD =
  "# Written by PowerBeacon, and written anew at every change: edit a copy, not this file. Persons' tokens are not in it.";

const OLDER = "has no password here, as it is older than this file";

function hubLine(hub: FileClient): string {
  const problem = problemOfUsername(hub.username);
  if (problem !== null) return `# The hub itself is missing here: ${problem}`;
  return lineOf(hub, "# The hub has no password: set MQTT_PASSWORD");
}

/** @param instead what to say where the hub has nothing but another hash of the password. */
function lineOf({ username, mosquittoHash }: FileClient, instead: string): string {
  return mosquittoHash === null ? instead : `${username}:${mosquittoHash}`;
}
