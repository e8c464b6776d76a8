const USUAL_PORTS: Readonly<Record<string, string>> = { "mqtt:": "1883", "mqtts:": "8883", "ws:": "80", "wss:": "443" };

/** Which `mosquitto_sub` does not speak as it is commonly packaged. */
export function isWebSocket(mqttUrl: string): boolean {
  return /^wss?:/.test(mqttUrl);
}

/** Where the broker is, as programs ask for it: a port that the address does not name is the usual one. */
export function brokerOf(mqttUrl: string): { hostname: string; port: string; isSafe: boolean } {
  const { hostname, port, protocol } = new URL(mqttUrl);
  return {
    hostname: hostname.replaceAll(/[[\]]/g, ""),
    port: port || (USUAL_PORTS[protocol] ?? "1883"),
    isSafe: protocol === "mqtts:",
  };
}

/** The line that shows in a terminal everything that a client may read. */
export function mosquittoSub(client: {
  readonly mqttUrl: string;
  readonly baseTopic: string;
  readonly username: string;
  readonly password: string;
}): string {
  const { hostname, port, isSafe } = brokerOf(client.mqttUrl);
  return [
    "mosquitto_sub",
    `-h ${hostname} -p ${port}`,
    ...(isSafe ? ["--tls-use-os-certs"] : []),
    `-u ${quoted(client.username)} -P ${client.password}`,
    `-t '${client.baseTopic}/#' -v`,
  ].join(" ");
}

/** A shell takes a `~` for a home. */
function quoted(username: string): string {
  return /^[a-z0-9-]+$/.test(username) ? username : `'${username}'`;
}
