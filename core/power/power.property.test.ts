import { expect, test } from "vitest";
import { Key } from "#contracts/key.ts";
import { type Evidence, PowerState } from "#contracts/power.ts";
import { OWN_WORD_MS, type OwnAgent } from "./power.rules.ts";
import { TrackedDevice } from "./tracked-device.ts";

/**
 * Random evidence, commands and presence, against what has to be true in every case. A failure names its seed.
 */

const RUNS = 150;
const STEPS = 120;
const WATCHERS = ["a", "b", "c"] as const;
const GRACE_MS = 15_000;
const OFF_GRACE_MS = 120_000;
const HOUR_MS = 3_600_000;

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A device and all who could say something about it, on a clock that only this world moves. */
class World {
  readonly device = new TrackedDevice();
  readonly states: string[] = ["unknown"];
  nowMs = 0;
  wallMs = Date.UTC(2026, 0, 1);
  waking = false;
  stopping = false;
  last: "waking" | "stopping" = "waking";
  /** What each agent said last, as far as it is still here. */
  readonly words = new Map<string, boolean>();
  readonly here = new Set<string>();
  own: OwnAgent | null = null;
  plug: boolean | null = null;
  /** When the grace of its going down ends. */
  goneByMs = -1;
  againInMs: number | null = null;
  /** The last state that was no command's. */
  settled = "unknown";
  /** Did the last look change that? Without anything new what was known stands. */
  hasChanged = false;

  evidence(how: Evidence["how"], by: string): Evidence {
    return { by: Key.parse(by), how, at: new Date(this.wallMs).toISOString() };
  }

  evaluate(): void {
    const onlookers = { watchers: [...this.here], own: this.own };
    const { againInMs } = this.device.evaluate(onlookers, { now: new Date(this.wallMs), nowMs: this.nowMs });
    this.againInMs = againInMs;
    const { power } = this.device.current;
    if (power === "off" || (power === "waking" && this.command === "stopping")) this.stopping = false;
    this.hasChanged = this.states.at(-1) !== power && this.settled !== power;
    if (this.states.at(-1) !== power) this.states.push(power);
    if (power !== "waking" && power !== "stopping") this.settled = power;
  }

  get command(): "waking" | "stopping" | null {
    if (this.waking && this.stopping) return this.last;
    return this.waking ? "waking" : this.stopping ? "stopping" : null;
  }

  ownSpeaks(): void {
    this.own = { state: "online", heardMs: this.nowMs, evidence: this.evidence("agent", "own") };
  }

  setCommand(command: "waking" | "stopping", isOn: boolean): void {
    this[command] = isOn;
    if (isOn) this.last = command;
    this.device.setCommand(command, isOn);
  }
}

type Step = readonly [name: string, happens: (world: World) => void];

function stepFrom(random: () => number): Step {
  const agent = WATCHERS[Math.floor(random() * WATCHERS.length)] ?? "a";
  const chance = random();
  const steps: readonly Step[] = [
    ["a watcher comes", (world) => void world.here.add(agent)],
    ["a watcher sees it", (world) => says(world, agent, true)],
    ["a watcher sees it again", (world) => says(world, agent, true)],
    ["a watcher misses it", (world) => says(world, agent, false)],
    ["a watcher misses it again", (world) => says(world, agent, false)],
    ["a watcher goes", (world) => goes(world, agent)],
    ["its own agent is heard", (world) => world.ownSpeaks()],
    ["its own agent leaves", (world) => (world.own = world.own && { state: "leaving", leftMs: world.nowMs })],
    ["its own agent is gone", (world) => (world.own = world.own?.state === "leaving" ? null : world.own)],
    ["a wake begins", (world) => world.setCommand("waking", true)],
    ["a wake is over", (world) => world.setCommand("waking", false)],
    ["a power-off begins", (world) => world.setCommand("stopping", true)],
    ["a power-off is over", (world) => world.setCommand("stopping", false)],
    ["its own agent says that it goes down", (world) => world.own && goesDown(world)],
    ["it stays up", (world) => world.device.staysUp()],
    ["its plug speaks", (world) => plugSays(world, chance < 0.3 ? null : chance < 0.7)],
  ];
  return steps[Math.floor(random() * steps.length)] ?? ["nothing", () => {}];
}

function says(world: World, agent: string, up: boolean): void {
  if (!world.here.has(agent)) return;
  world.words.set(agent, up);
  world.device.says(agent, up ? world.evidence("arp", agent) : null, true, world.nowMs);
}

function goes(world: World, agent: string): void {
  world.here.delete(agent);
  world.words.delete(agent);
  world.device.forgetWordOf(agent);
}

function goesDown(world: World): void {
  world.goneByMs = world.nowMs + OFF_GRACE_MS;
  world.device.goesDown(world.nowMs, OFF_GRACE_MS);
}

function plugSays(world: World, on: boolean | null): void {
  world.plug = on;
  world.device.plugSays(on, new Date(world.wallMs), world.nowMs);
}

function mustHold(world: World, story: string): void {
  const { power } = world.device.current;
  const words = [...world.words.values()];
  const isOwnFresh = world.own?.state === "online" && world.nowMs - world.own.heardMs < OWN_WORD_MS;
  if (isOwnFresh) expect(power, `${story}: its own agent is here`).not.toBe("off");
  if (isOwnFresh && world.command === null) expect(power, `${story}: its own agent beats all`).toBe("on");
  if (world.command === "waking") expect(["waking", "on"], `${story}: a wake is not contradicted`).toContain(power);
  if (world.command === "stopping") expect(power, `${story}: a power-off is not contradicted`).toBe("stopping");
  if (world.command === null) expect(["waking", "stopping"], `${story}: no command`).not.toContain(power);
  if (power === "off" && world.hasChanged) {
    const isSaid = words.includes(false) || world.plug === false || world.device.wentDown;
    expect(isSaid && !words.includes(true), `${story}: off only where somebody says so, and nobody sees it`).toBe(true);
  }
  if (
    power === "on" &&
    world.own === null &&
    world.plug === null &&
    world.here.size > 0 &&
    words.length === world.here.size
  )
    expect(words.includes(true) || world.againInMs !== null, `${story}: on only where somebody sees it`).toBe(true);
  const isBlind = world.here.size === 0 && world.own === null && world.plug === null && world.command === null;
  if (power === "unreachable" && world.command === null)
    expect(words.length === 0 && world.plug === null, `${story}: unreachable is a guess of nobody`).toBe(true);
  if (isBlind && !world.device.wentDown && world.states.some((state) => state === "on" || state === "off"))
    expect(power, `${story}: nobody can look`).toBe("unreachable");
}

/** Lives one random life. @param wallJumps whether the clock on the wall is set an hour on and back all the time. */
function live(seed: number, wallJumps: boolean): readonly string[] {
  const random = randomFrom(seed);
  const jumps = randomFrom(seed + 1);
  const world = new World();
  const told: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    const waits = random() < 0.5 ? random() * 2_000 : random() * 60_000;
    passTime(world, waits, `seed ${seed}, step ${step}, waiting`);
    if (wallJumps) world.wallMs += jumps() < 0.5 ? HOUR_MS : -HOUR_MS;
    const [name, happens] = stepFrom(random);
    told.push(name);
    happens(world);
    world.evaluate();
    const story = `seed ${seed}, step ${step}, ${name}`;
    mustHold(world, story);
    const before = world.device.current;
    world.evaluate();
    expect(world.device.current, `${story}: looking twice changes nothing`).toBe(before);
  }
  return world.states;
}

/** Nothing happens but time: the state may change once, and never comes back. */
function passTime(world: World, forMs: number, story: string): void {
  const endMs = world.nowMs + forMs;
  let states = [world.device.current.power];
  for (let asks = 0; world.againInMs !== null && world.nowMs + world.againInMs <= endMs; asks++) {
    expect(asks, `${story}: asked again without end`).toBeLessThan(10);
    world.nowMs += world.againInMs;
    const isEndOfGrace = Math.abs(world.nowMs - world.goneByMs) < 1;
    world.evaluate();
    mustHold(world, story);
    const { power } = world.device.current;
    if (isEndOfGrace) states = [power]; // which is news
    else if (states.at(-1) !== power) states.push(power);
  }
  expect(states.length, `${story}: ${states.join(" → ")} without anything new`).toBeLessThanOrEqual(2);
  world.nowMs = endMs;
  world.wallMs += forMs;
  if (world.own?.state === "leaving" && world.nowMs - world.own.leftMs > GRACE_MS) {
    world.own = null;
    world.evaluate();
  }
}

test("whatever is seen, ordered and lost: nothing is made up, no command is contradicted and nothing bounces", () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= RUNS; seed++) for (const state of live(seed, false)) seen.add(state);
  expect(seen).toEqual(new Set(PowerState.options));
});

test("a clock on the wall that jumps by an hour changes no state", () => {
  for (let seed = 1; seed <= RUNS / 4; seed++) expect(live(seed, true), `seed ${seed}`).toEqual(live(seed, false));
});
