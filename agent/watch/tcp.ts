import { connect } from "node:net";

/** A machine on a LAN accepts within milliseconds; one second leaves room for Wi-Fi that sleeps. */
const ANSWER_WITHIN_MS = 1_000;

/**
 * Whether a TCP port accepts a connection. Never rejects.
 *
 * A refusal does not count: on loopback and behind some firewalls something else refuses in the machine's name.
 */
export function acceptsConnection(address: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: ANSWER_WITHIN_MS, signal });
    const end = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.on("error", () => end(false));
  });
}
