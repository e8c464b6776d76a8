import { describe, expect, test } from "vitest";
import { burstPlan, learnedAim } from "./bursts.rules.ts";
import type { LearnedWay } from "./wake-recipe.entity.ts";

describe("the bursts of a wake", () => {
  const plans = (options: { learned?: boolean; nobodySent?: boolean }) =>
    [1, 2, 3, 4, 5].map((burst) => burstPlan({ burst, learned: false, nobodySent: false, ...options }));
  const own = { senders: "own", unicast: false };
  const ownWide = { senders: "own", unicast: true };
  const all = { senders: "cluster", unicast: true };

  test.each([
    ["grow wider, then other agents send as well", {}, [own, ownWide, all, all, all]],
    [
      "begin with what has worked before",
      { learned: true },
      [{ senders: "learned", unicast: false }, own, ownWide, all, all],
    ],
    ["are everybody's at once when those asked could not send", { nobodySent: true }, [all, all, all, all, all]],
  ])("%s", (_what, options, expected) => {
    expect(plans(options)).toEqual(expected);
  });
});

describe("what is tried first", () => {
  const way = (agentId: string, address: string, changes: Partial<LearnedWay> = {}): LearnedWay => ({
    agentId,
    interface: "eth0",
    address,
    port: 9,
    successes: 4,
    lastAt: "2026-11-21T10:00:00.000Z",
    ...changes,
  });
  const everybody = () => true;

  test.each([
    ["nothing, where nothing is known", [], everybody, undefined],
    ["nothing, where the agent is away", [way("pi", "10.0.0.255")], () => false, undefined],
    [
      "the agent, its interface and the kinds of destination that worked",
      [way("pi", "10.0.0.255"), way("pi", "255.255.255.255"), way("pi", "ff02::1"), way("pi", "10.0.0.7")],
      everybody,
      { agentIds: ["pi"], interfaces: ["eth0"], reach: ["directed", "limited", "all-nodes", "unicast"] },
    ],
    [
      "not what worked much less often",
      [way("pi", "10.0.0.255"), way("nuc", "10.0.0.255", { successes: 1 })],
      everybody,
      { agentIds: ["pi"], interfaces: ["eth0"], reach: ["directed"] },
    ],
    [
      "the next best, where the best agent is away",
      [way("pi", "10.0.0.255"), way("nuc", "10.0.0.255", { successes: 1, interface: null })],
      (id: string) => id === "nuc",
      { agentIds: ["nuc"], interfaces: undefined, reach: ["directed"] },
    ],
  ])("is %s", (_what, ways, canAsk, aim) => {
    expect(learnedAim(ways, canAsk, "10.0.0.7")).toEqual(aim);
  });
});
