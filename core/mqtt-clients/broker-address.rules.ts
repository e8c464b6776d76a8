/** Where clients find the broker. */
export interface BrokerAddress {
  /** `MQTT_PUBLIC_URL`; without it the broker is where the hub is. */
  readonly mqttUrl: string | null;
  /** `PUBLIC_URL`; without it the hub is where it was asked. */
  readonly publicUrl: string | null;
  readonly tcpPort: number;
  /** Null without TLS. */
  readonly tlsPort: number | null;
  readonly baseTopic: string;
}

/** @param askedHost the host name by which somebody asked the hub, without its port. */
export function mqttUrlFor({ mqttUrl, publicUrl, tcpPort, tlsPort }: BrokerAddress, askedHost: string): string {
  if (mqttUrl !== null) return mqttUrl;
  const host = publicUrl === null ? askedHost : new URL(publicUrl).hostname;
  return tlsPort === null ? `mqtt://${host}:${tcpPort}` : `mqtts://${host}:${tlsPort}`;
}
