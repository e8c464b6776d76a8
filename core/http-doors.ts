import type { Broker } from "../broker/broker.ts";
import type { Config } from "./config.ts";
import { startIngress } from "./http/ingress.ts";
import { listen } from "./http/server.ts";
import type { App } from "./kernel/routes.ts";

export interface HttpDoorsOptions {
  readonly config: Config;
  /** Takes MQTT over WebSocket at `/mqtt`; null where the broker is somebody else's. */
  readonly embedded: Broker | null;
  /** Who may come to the door of Home Assistant's supervisor, where it is not the supervisor. */
  readonly ingressFrom: string | undefined;
}

/** Opens the ports of the page and the API. @throws StartError when one is taken or may not be opened. */
export async function openHttpDoors(app: App, { config, embedded, ingressFrom }: HttpDoorsOptions) {
  app.server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {}); // Node takes its own listener off; the socket's close follows
    if (embedded && request.url?.split("?", 1)[0] === "/mqtt") embedded.handleUpgrade(request, socket, head);
    else socket.destroy();
  });
  const port = await listen(app, config.http);
  const { ingressPort } = config.homeAssistant;
  const { host, publicUrl } = config.http;
  const ingress =
    ingressPort === null
      ? null
      : await startIngress(app, { host, port: ingressPort, hubPort: port, publicUrl, from: ingressFrom });
  return {
    port,
    ingressPort: ingress?.port ?? null,
    /** Of the supervisor's door alone: the other one closes with the server. */
    close: async () => {
      await ingress?.close();
    },
  };
}
