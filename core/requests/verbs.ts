import { type DoctorVerbParts, doctorVerb } from "./doctor.ts";
import { type HealthParts, health } from "./health.ts";
import { type InventoryParts, inventory } from "./inventory.ts";
import { type PlanVerbParts, planVerb } from "./plan.ts";
import type { Verbs } from "./requests.messages.ts";
import { type PowerRequestParts, powerVerb } from "./power-requests.ts";
import { wakeVerb } from "./wake-requests.ts";

/** What the hub itself answers; Home Assistant's part adds its own. */
export function hubVerbs(
  parts: InventoryParts & HealthParts & DoctorVerbParts & PlanVerbParts & PowerRequestParts,
): Pick<Verbs, "inventory" | "wake" | "power" | "health" | "doctor" | "plan"> {
  return {
    inventory: (fields, { rights }) => inventory(parts, fields, rights),
    doctor: doctorVerb(parts),
    plan: planVerb(parts),
    health: (_fields, { rights }) => health(parts, rights),
    wake: wakeVerb(parts),
    power: powerVerb(parts),
  };
}
