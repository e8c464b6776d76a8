import { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerSystem } from "../../agent/power/power-system.ts";

/** A machine's own ways of going down, which take down nothing but what the test says. */
export function simulatedPower(options: {
  readonly macs?: readonly string[];
  readonly inhibitors?: () => readonly string[];
  readonly goDown?: (action: PowerOffAction) => void;
}): PowerSystem {
  const { macs = [], inhibitors = () => [], goDown } = options;
  return {
    able: () =>
      Promise.resolve(
        goDown
          ? { actions: PowerOffAction.options, problem: null }
          : { actions: [], problem: "This agent runs in a test" },
      ),
    ownMacs: () => Promise.resolve(new Set(macs)),
    inhibitors: () => Promise.resolve(inhibitors()),
    users: () => Promise.resolve(0),
    tell: () => Promise.resolve(),
    arm: () => Promise.resolve(true),
    goDown: (action) => {
      goDown?.(action);
      return goDown ? Promise.resolve() : Promise.reject(new Error("this machine is not to go down"));
    },
  };
}
