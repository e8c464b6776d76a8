import { afterAll, beforeAll, describe } from "vitest";
import { startLoopbackWorld } from "../worlds/loopback-world.ts";
import { type Stage, closeStage, openStage, trustScenarios } from "./trust-scenarios.ts";

describe("machines on loopback", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage(startLoopbackWorld);
  });

  afterAll(() => closeStage(stage));

  trustScenarios(() => stage);
});
