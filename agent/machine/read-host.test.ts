import { expect, test } from "vitest";
import { type HostFacts, NOTHING_KNOWN } from "./host-facts.ts";
import { HostReader, readHost } from "./read-host.ts";

const known = (virtual: boolean): HostFacts => ({ ...NOTHING_KNOWN, machine: { ...NOTHING_KNOWN.machine, virtual } });

/** A machine that answers when it is told to. */
function slowMachine() {
  const answers: ((facts: HostFacts) => void)[] = [];
  const read = () => new Promise<HostFacts>((resolve) => void answers.push(resolve));
  return { answers, read };
}

test("this machine is read without anybody's leave", async () => {
  const { machine } = await readHost();
  expect(Object.keys(machine).toSorted()).toEqual(["container", "fastStartup", "virtual"]);
});

test("a system that nobody thought of tells nothing", async () => {
  expect(await readHost("sunos")).toEqual(NOTHING_KNOWN);
});

test("the machine is asked again only after a while, or when its interfaces change", async () => {
  let asked = 0;
  const reader = new HostReader({ read: async () => known(++asked > 0), freshMs: 1_000 });
  await reader.facts("a", 0);
  await reader.facts("a", 999);
  expect(asked).toBe(1);
  await reader.facts("a", 1_000);
  expect(asked).toBe(2);
  await reader.facts("b", 1_001);
  expect(asked).toBe(3);
});

test("nobody waits for a machine that is slow, and what it said is known the next time", async () => {
  const { answers, read } = slowMachine();
  const reader = new HostReader({ read, patienceMs: 1, freshMs: 1_000 });
  expect(await reader.facts("a", 0)).toEqual(NOTHING_KNOWN);
  expect(await reader.facts("b", 5_000)).toEqual(NOTHING_KNOWN); // nobody asks twice at once
  expect(answers).toHaveLength(1);
  answers[0]?.(known(true));
  await expect.poll(() => reader.facts("a", 1)).toEqual(known(true));
});
