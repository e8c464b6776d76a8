import { describe } from "vitest";
import { wakeScenarios } from "./wake-scenarios.ts";

describe("with the embedded broker", () => {
  wakeScenarios("embedded");
});
