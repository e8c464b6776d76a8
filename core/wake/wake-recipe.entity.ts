import { defineEntity, p } from "@mikro-orm/core";
import { Device } from "../devices/device.entity.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** One way that a magic packet took, and how often the device came up after it. */
export interface LearnedWay {
  readonly agentId: string;
  readonly interface: string | null;
  /** Where it went: an address. */
  readonly address: string;
  readonly port: number;
  readonly successes: number;
  /** ISO 8601, UTC. */
  readonly lastAt: string;
}

/** What was learned of waking a device: the ways that worked, and how long it takes. One row, written behind each wake. */
const WakeRecipeSchema = defineEntity({
  name: "WakeRecipe",
  tableName: "wake_recipe",
  properties: {
    device: () => p.manyToOne(Device).primary().ref().deleteRule("cascade"),
    site: () => p.manyToOne(Site).ref().index(),
    /** Best first, a few. */
    ways: p.json<LearnedWay[]>(),
    /** Seconds from the request to the sighting, of the last wakes, newest last. */
    durations: p.json<number[]>(),
    updatedAt: p.datetime(),
  },
  filters: siteFilter,
  ...sitePolicies("wake_recipe"),
});

export class WakeRecipe extends WakeRecipeSchema.class {}
WakeRecipeSchema.setClass(WakeRecipe);
