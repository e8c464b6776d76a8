import { type HealthParts, health } from "./health.ts";
import { type InventoryParts, inventory } from "./inventory.ts";
import type { Verbs } from "./requests.messages.ts";
import { type PowerRequestParts, powerVerb } from "./power-requests.ts";
import { wakeVerb } from "./wake-requests.ts";

/** What the hub itself answers; Home Assistant's part adds its own. */
export function hubVerbs(
  parts: InventoryParts & HealthParts & PowerRequestParts,
): Pick<Verbs, "inventory" | "wake" | "power" | "health"> {
  return {
    inventory: (fields, { rights }) => inventory(parts, fields, rights),
    health: (_fields, { rights }) => health(parts, rights),
    wake: wakeVerb(parts),
    power: powerVerb(parts),
  };
}
