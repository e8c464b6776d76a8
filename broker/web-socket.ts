import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";

/** MQTT 5 §6.0.0-3; `mqttv3.1` is what clients of MQTT 3.1 say. */
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];
/** RFC 6455 §7.4.1 */
const UNSUPPORTED_DATA = 1003;

export interface WebSocketDoor {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

/** Turns WebSocket upgrades into streams of bytes. Frames say nothing about packets. MQTT 5 §6 */
export function openWebSocketDoor(
  frameBytes: number,
  onStream: (stream: Duplex, request: IncomingMessage) => void,
): WebSocketDoor {
  const server = new WebSocketServer({
    noServer: true,
    // saves nothing on packets this small, and holds memory for each client
    perMessageDeflate: false,
    maxPayload: frameBytes,
    handleProtocols: (offered) => SUBPROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
  });
  return {
    handleUpgrade(request, socket, head) {
      if (!offersMqtt(request)) {
        socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => onStream(streamOf(webSocket), request));
    },
    close: () => server.close(),
  };
}

function offersMqtt(request: IncomingMessage): boolean {
  const offered = request.headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").some((protocol) => SUBPROTOCOLS.includes(protocol.trim()));
}

function streamOf(webSocket: WebSocket): Duplex {
  // MQTT 5 §6.0.0-1: other than binary frames end the connection
  webSocket.on("message", (_data, isBinary) => {
    if (!isBinary) webSocket.close(UNSUPPORTED_DATA);
  });
  return createWebSocketStream(webSocket);
}
