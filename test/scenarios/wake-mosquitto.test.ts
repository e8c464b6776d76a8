import { describe } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import { wakeScenarios } from "./wake-scenarios.ts";

describe.skipIf(isMissing("mosquitto"))("with Mosquitto", () => {
  wakeScenarios("mosquitto");
});
