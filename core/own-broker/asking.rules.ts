import type { MqttPermission } from "#contracts/principal.ts";
import { type HubVerb, hubRequests } from "#contracts/request.ts";

/** Says again what stands there already, whoever asks. */
const REACHES_NOTHING: ReadonlySet<string> = new Set<HubVerb>(["send-discovery"]);

/**
 * The verbs of `hub/request/<verb>` that an integration may use on a broker that does not tell who asks.
 *
 * The hub does there whatever a request names, so only who may do that with everything gets a verb.
 */
export function verbsFor(permissions: ReadonlySet<MqttPermission>, reachesEverything: boolean): string[] {
  return Object.entries(hubRequests)
    .filter(([verb, { needs }]) => {
      const mayAll = (needs as readonly MqttPermission[]).every((permission) => permissions.has(permission));
      return mayAll && (reachesEverything || REACHES_NOTHING.has(verb));
    })
    .map(([verb]) => verb);
}
