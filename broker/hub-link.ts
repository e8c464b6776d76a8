import { type Duplex, duplexPair } from "node:stream";
import type { HubPrincipal } from "#contracts/principal.ts";
import type { Engine } from "./engine.ts";

export const HUB: HubPrincipal = { type: "hub", id: "hub", username: "hub" };

/** An MQTT connection within this process, with the hub's rights. When one end goes, the other one goes too. */
export function linkHub(engine: Engine): Duplex {
  const [ours, theirs] = duplexPair();
  // a graceful end would otherwise wait for a close that never comes
  ours.once("close", () => theirs.destroy());
  theirs.once("close", () => ours.destroy());
  engine.handle(ours, { address: null, hub: HUB, onSettled: () => {} });
  return theirs;
}
