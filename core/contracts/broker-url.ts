/** Where a broker is, as mqtt.js takes it; its own way of reading an address goes by Node's deprecated `url.parse`. */
export interface BrokerPlace {
  readonly protocol: "mqtt" | "mqtts" | "ws" | "wss";
  readonly host: string;
  readonly hostname: string;
  /** Absent where the protocol's own is meant. */
  readonly port?: number;
  readonly path?: string;
}

/** @param url one of mqtt, mqtts, ws or wss, which settings and credentials are checked for. */
export function brokerAt(url: string): BrokerPlace {
  const { protocol, hostname, port, pathname } = new URL(url);
  const isWebSocket = /^wss?:$/.test(protocol);
  const host = isWebSocket ? hostname : hostname.replaceAll(/[[\]]/g, ""); // an IPv6 address has brackets in a URL only
  return {
    protocol: protocol.slice(0, -1) as BrokerPlace["protocol"], // the schemas let in no other
    host,
    hostname: host,
    ...(port !== "" && { port: Number(port) }),
    ...(isWebSocket && { path: pathname }),
  };
}
