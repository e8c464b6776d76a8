import type { Principal } from "#contracts/principal.ts";
import type { AedesPublish } from "./aedes-insides.ts";

/** What a client wants to have published when it is gone without a word. MQTT 5 §3.1.2.5 */
export interface Will {
  readonly packet: AedesPublish;
  /** In whose name. */
  readonly principal: Principal;
}

/** How long after the client is gone, unless its session ends before. Seconds. MQTT 5 §3.1.3.2.2 */
export function delayOf({ packet }: Will): number {
  return packet.properties?.willDelayInterval ?? 0;
}
