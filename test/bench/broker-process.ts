import type { Principal } from "#contracts/principal.ts";
import { Key } from "#contracts/key.ts";
import { startBroker } from "../../broker/broker.ts";
import { tell } from "./child.ts";

/** The embedded broker alone, with its access rules: who shows `agent-7` is that agent, everybody else an integration. */
const home = { key: "home", siteId: "house" };
const principals = new Map<string, Principal>();

function principalOf(username: string): Principal {
  const known = principals.get(username);
  if (known) return known;
  const self = { id: username, username };
  const principal: Principal = username.startsWith("agent-")
    ? { type: "agent", ...self, key: Key.parse(username), cluster: Key.parse("home") }
    : {
        type: "integration",
        ...self,
        siteId: home.siteId,
        permissions: new Set(["read", "wake"]),
        clusters: new Set(["home"]),
      };
  principals.set(username, principal);
  return principal;
}

const broker = await startBroker({
  baseTopic: "powerbeacon",
  discoveryPrefix: "homeassistant",
  tcp: { host: "127.0.0.1", port: 0 },
  tls: null,
  policy: {
    authenticate: ({ username }) =>
      username === null ? { ok: false, reason: "bad-credentials" } : { ok: true, principal: principalOf(username) },
    principal: () => undefined,
    cluster: () => home,
    clusterOfDevice: () => home,
    clusterOfAgent: () => home,
    connected: () => {},
    disconnected: () => {},
    refused: () => {},
  },
  log: { warn: () => {}, info: () => {} },
});
tell({ type: "listening", port: broker.tcpPort });
