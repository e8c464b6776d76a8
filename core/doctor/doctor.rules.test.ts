import { describe, expect, test } from "vitest";
import type { Machine, NetworkInterface } from "#contracts/agent.ts";
import type { FindingCode, FindingSeverity } from "#contracts/finding.ts";
import { findings, verdictOf } from "./doctor.rules.ts";
import type { AgentFacts, Facts, WakeFacts } from "./facts.ts";

const MAC = "3c:ec:ef:11:22:33";
const EARLY = new Date("2026-03-01T10:00:00Z");
const WOKEN_AT = new Date("2026-03-01T11:00:00Z");
const LATE = new Date("2026-03-01T12:00:00Z");

const MACHINE = {
  container: null,
  virtual: false,
  fastStartup: null,
  powerActions: [],
  powerProblem: null,
  listensOn: [],
} as const satisfies AgentFacts["machine"];

function card(change: Partial<NetworkInterface> = {}): NetworkInterface {
  const unknown = { kind: null, link: null, armed: null, secureOn: null };
  return { name: "eth0", mac: MAC, addresses: ["192.168.1.20/24"], broadcast: [], ...unknown, ...change };
}

type AgentChange = Omit<Partial<AgentFacts>, "machine"> & { machine?: Partial<Machine> | null };

function agent(change: AgentChange = {}): AgentFacts {
  const { machine, ...rest } = change;
  return {
    key: "pi",
    name: "Pi",
    os: "linux",
    online: true,
    since: EARLY,
    interfaces: [card({ mac: "dc:a6:32:00:00:01", addresses: ["192.168.1.5/24", "fd00::5/64"] })],
    capabilities: ["wake", "icmp", "arp", "tcp"],
    ...rest,
    machine: machine === null ? null : { ...MACHINE, ...machine },
  };
}

const own = (change: AgentChange = {}) => agent({ key: "nas-agent", name: "NAS agent", ...change });
const networked = (cidr: string, change: AgentChange = {}) =>
  agent({ interfaces: [card({ addresses: [cidr] })], ...change });

const DEVICE: Facts["device"] = {
  name: "NAS",
  mac: MAC,
  os: "linux",
  enabled: true,
  isInCluster: true,
  address: "192.168.1.20",
  hasSecureOn: false,
  wakeAddresses: [],
  wakePorts: [9, 7],
  windowSeconds: 120,
  watch: { icmp: true, arp: true, tcpPorts: [] },
};

/** A device that nothing is wrong with, and what is different about it. */
function facts(change: Partial<Facts> = {}, device: Partial<Facts["device"]> = {}): Facts {
  return {
    agents: [agent()],
    neighbours: change.agents ?? [agent()],
    ownAgent: null,
    card: null,
    power: "off",
    seenOnSegmentBy: null,
    hasPlugEvidence: false,
    takenBy: null,
    lastWake: null,
    hasWoken: true,
    slowSeconds: null,
    ...change,
    device: { ...DEVICE, ...device },
  };
}

const sent = [{ key: "pi", stage: "sent", reason: null }] as const;
function wake(change: Partial<WakeFacts> = {}): WakeFacts {
  return { at: WOKEN_AT, stage: "no-answer", agents: sent, heard: null, ...change };
}
const failed = (stage: "asked" | "failed" | "refused", reason: string | null) =>
  wake({ agents: [{ key: "pi", stage, reason }] });

const nosy = (change: AgentChange = {}) =>
  agent({ key: "ears", name: "Ears", ...change, machine: { listensOn: [9], ...change.machine } });
const withEars = (ears: AgentFacts, more: Partial<Facts> = {}) =>
  facts({ neighbours: [agent(), ears], lastWake: wake(), ...more });

test("a device that nothing is wrong with has no findings", () => {
  expect(findings(facts())).toEqual([]);
});

type Row = readonly [what: string, facts: Facts, expected: FindingSeverity | null];

/** Each rule: what it finds, and what it lets be. */
const TABLE: Readonly<Record<FindingCode, readonly Row[]>> = {
  DEVICE_DISABLED: [
    ["it is disabled", facts({}, { enabled: false }), "problem"],
    ["it is enabled", facts(), null],
  ],
  NO_AGENT: [
    ["its cluster has none", facts({ agents: [] }), "problem"],
    ["it is in no cluster, and no agent is", facts({ agents: [] }, { isInCluster: false }), "problem"],
    ["the only one is on the machine", facts({ agents: [], ownAgent: own() }), "problem"],
    ["there is one", facts(), null],
  ],
  AGENT_OFFLINE: [
    ["the only one is", facts({ agents: [agent({ online: false })] }), "problem"],
    ["all are", facts({ agents: [agent({ online: false }), agent({ key: "b", online: false })] }), "problem"],
    [
      "the one in its network is",
      facts({ agents: [agent({ online: false }), networked("10.0.0.5/8", { key: "b" })] }),
      "warning",
    ],
    ["one of two in its network is", facts({ agents: [agent({ online: false }), agent({ key: "b" })] }), "hint"],
    ["all are online", facts({ agents: [agent(), agent({ key: "b" })] }), null],
  ],
  OTHER_SUBNET: [
    ["no agent is in its network", facts({ agents: [networked("10.0.0.5/8")], hasWoken: false }), "problem"],
    ["it was woken from there before", facts({ agents: [networked("10.0.0.5/8")] }), "warning"],
    [
      "a router may pass it on",
      facts({ agents: [networked("10.0.0.5/8")], hasWoken: false }, { wakeAddresses: ["192.168.1.255"] }),
      "warning",
    ],
    [
      "only its own agent told where it is",
      facts({ ownAgent: own(), card: card({ addresses: ["172.20.0.4/16"] }) }, { address: null }),
      "warning",
    ],
    ["an agent is in its network", facts(), null],
    ["one of two is", facts({ agents: [networked("10.0.0.5/8"), agent({ key: "b" })] }), null],
    ["the network is wide", facts({ agents: [networked("192.168.0.5/16")] }), null],
    ["its address is not known", facts({ agents: [networked("10.0.0.5/8")] }, { address: null }), null],
    ["its address is a name", facts({ agents: [networked("10.0.0.5/8")] }, { address: "nas.lan" }), null],
    ["its address is a loopback address", facts({}, { address: "127.0.0.9" }), null],
    [
      "an agent has it in its neighbour table",
      facts({ agents: [networked("10.0.0.5/8")], seenOnSegmentBy: "pi" }),
      null,
    ],
    ["the agent's networks are not known", facts({ agents: [agent({ interfaces: [] })] }), null],
    ["the agent tells nonsense", facts({ agents: [networked("192.168.1.5/99"), agent({ key: "b" })] }), null],
    [
      "the agent is in a container's bridge",
      facts({ agents: [networked("172.17.0.2/16", { machine: { container: "bridge" } })] }),
      null,
    ],
  ],
  CONTAINER_BRIDGE: [
    ["its agent is", facts({ agents: [agent({ machine: { container: "bridge" } })], hasWoken: false }), "problem"],
    ["its agent is, and woke it before", facts({ agents: [agent({ machine: { container: "bridge" } })] }), "warning"],
    [
      "one of two is",
      facts({ agents: [agent({ machine: { container: "bridge" } }), agent({ key: "b" })], hasWoken: false }),
      "hint",
    ],
    [
      "the one without is offline",
      facts({
        agents: [agent({ machine: { container: "bridge" } }), agent({ key: "b", online: false })],
        hasWoken: false,
      }),
      "problem",
    ],
    ["it has the host's network", facts({ agents: [agent({ machine: { container: "host-network" } })] }), null],
    ["an agent of before does not tell", facts({ agents: [agent({ machine: null })] }), null],
  ],
  SEND_FAILED: [
    ["the agent could not", facts({ lastWake: failed("failed", "send EACCES") }), "problem"],
    ["the agent refused", facts({ lastWake: failed("refused", "CLOCK_UNKNOWN") }), "problem"],
    ["the agent did not answer", facts({ lastWake: failed("asked", null) }), "problem"],
    [
      "one of two could not",
      facts({ lastWake: wake({ agents: [...sent, { key: "b", stage: "failed", reason: "ENETUNREACH" }] }) }),
      "warning",
    ],
    ["it was sent", facts({ lastWake: wake() }), null],
    ["nobody was asked", facts({ lastWake: wake({ stage: "failed", agents: [] }) }), null],
    ["it is up by now", facts({ lastWake: failed("failed", "send EACCES"), power: "on" }), null],
    ["the wake still runs", facts({ lastWake: { ...failed("asked", null), stage: "accepted" } }), null],
    ["it woke", facts({ lastWake: { ...failed("failed", "x"), stage: "awake" } }), null],
  ],
  NOT_ON_WIRE: [
    ["a neighbour did not hear it", withEars(nosy(), { hasWoken: false }), "problem"],
    ["a neighbour did not hear it, this time", withEars(nosy()), "warning"],
    [
      "the address is not known, but both are in one network",
      facts({ neighbours: [agent(), nosy()], lastWake: wake() }, { address: null }),
      "warning",
    ],
    [
      "a neighbour heard it",
      withEars(nosy(), { lastWake: wake({ heard: { by: "ears", from: "192.168.1.5" } }) }),
      null,
    ],
    ["nobody listens", withEars(nosy({ machine: { listensOn: [] } })), null],
    ["it listens on other ports", withEars(nosy({ machine: { listensOn: [4000] } })), null],
    ["it came online after the wake", withEars(nosy({ since: LATE })), null],
    ["it is offline", withEars(nosy({ online: false })), null],
    ["it is in another network", withEars(nosy({ interfaces: [card({ addresses: ["10.0.0.5/8"] })] })), null],
    ["it is in a container's bridge", withEars(nosy({ machine: { container: "bridge" } })), null],
    [
      "only the sender listens",
      facts({ neighbours: [agent({ machine: { listensOn: [9] } })], lastWake: wake() }),
      null,
    ],
    ["nothing was sent", withEars(nosy(), { lastWake: failed("failed", "EACCES") }), null],
    ["it is up by now", withEars(nosy(), { power: "on" }), null],
    ["it was cancelled", withEars(nosy(), { lastWake: wake({ stage: "cancelled" }) }), null],
  ],
  NO_LINK: [
    ["its own agent says that there is no cable", facts({ ownAgent: own(), card: card({ link: false }) }), "problem"],
    [
      "it was heard and did not come up, ever",
      facts({ lastWake: wake({ heard: { by: "ears", from: "x" } }), hasWoken: false }),
      "problem",
    ],
    ["it was heard and did not come up", facts({ lastWake: wake({ heard: { by: "ears", from: "x" } }) }), "warning"],
    ["there is a link", facts({ ownAgent: own(), card: card({ link: true }) }), null],
    ["it was heard and is up", facts({ lastWake: wake({ heard: { by: "ears", from: "x" } }), power: "on" }), null],
    ["nobody heard it", facts({ lastWake: wake() }), null],
  ],
  NO_ANSWER: [
    ["it was sent and nobody listened", facts({ lastWake: wake() }), "warning"],
    ["its window is shorter than it needs", facts({ lastWake: wake(), slowSeconds: 130 }), "warning"],
    ["it was heard, which says more", facts({ lastWake: wake({ heard: { by: "ears", from: "x" } }) }), null],
    ["it was not heard, which says more", withEars(nosy()), null],
    ["nothing was sent", facts({ lastWake: failed("failed", "EACCES") }), null],
    ["it is up by now", facts({ lastWake: wake(), power: "on" }), null],
    ["there was no wake", facts(), null],
  ],
  NOT_ARMED: [
    ["its own agent says so", facts({ ownAgent: own(), card: card({ armed: false }) }), "problem"],
    ["it is armed", facts({ ownAgent: own(), card: card({ armed: true }) }), null],
    ["that is not known", facts({ ownAgent: own(), card: card() }), null],
  ],
  FAST_STARTUP: [
    ["it is on", facts({ ownAgent: own({ machine: { fastStartup: true } }), hasWoken: false }), "warning"],
    ["it is on, and the machine was woken", facts({ ownAgent: own({ machine: { fastStartup: true } }) }), "hint"],
    ["it is off", facts({ ownAgent: own({ machine: { fastStartup: false } }) }), null],
    ["it does not apply", facts({ ownAgent: own() }), null],
    ["another agent has it on", facts({ agents: [agent({ machine: { fastStartup: true } })] }), null],
  ],
  ADDRESS_TAKEN: [
    [
      "another machine answers",
      facts({ takenBy: { mac: "00:11:22:33:44:55", by: "pi", at: EARLY.toISOString() } }),
      "warning",
    ],
    ["none does", facts(), null],
  ],
  WIFI_MAC: [
    ["its own agent says so", facts({ ownAgent: own(), card: card({ kind: "wifi" }), hasWoken: false }), "warning"],
    ["its own agent says so, and it woke", facts({ ownAgent: own(), card: card({ kind: "wifi" }) }), "hint"],
    ["software made the address up", facts({ hasWoken: false }, { mac: "a2:11:22:33:44:55" }), "hint"],
    ["software made it up, and it woke", facts({}, { mac: "a2:11:22:33:44:55" }), null],
    [
      "it is a cable's, whatever the address",
      facts({ ownAgent: own(), card: card({ kind: "ethernet" }), hasWoken: false }, { mac: "a2:11:22:33:44:55" }),
      null,
    ],
    ["it is a virtual machine's", facts({ hasWoken: false }, { mac: "52:54:00:11:22:33" }), null],
    ["a maker gave it", facts({ hasWoken: false }), null],
  ],
  VIRTUAL_MAC: [
    ...["00:0c:29", "00:50:56", "08:00:27", "00:15:5d", "52:54:00", "bc:24:11", "00:16:3e", "00:1c:42", "02:42:ac"].map(
      (oui): Row => [
        `its address begins with ${oui}`,
        facts({ hasWoken: false }, { mac: `${oui}:00:00:09` }),
        "warning",
      ],
    ),
    [
      "its own agent is in a virtual machine",
      facts({ ownAgent: own({ machine: { virtual: true } }), hasWoken: false }),
      "warning",
    ],
    [
      "its card is a virtual one",
      facts({ ownAgent: own(), card: card({ kind: "virtual" }), hasWoken: false }),
      "warning",
    ],
    ["it was woken all the same", facts({}, { mac: "52:54:00:11:22:33" }), "hint"],
    ["it is of metal", facts({ ownAgent: own(), hasWoken: false }), null],
  ],
  SECURE_ON_SET: [
    ["nobody knows whether its card asks for one", facts({ hasWoken: false }, { hasSecureOn: true }), "hint"],
    [
      "its card asks for none",
      facts({ ownAgent: own(), card: card({ secureOn: false }), hasWoken: false }, { hasSecureOn: true }),
      "warning",
    ],
    [
      "its card asks for one",
      facts({ ownAgent: own(), card: card({ secureOn: true }), hasWoken: false }, { hasSecureOn: true }),
      null,
    ],
    ["it wakes with it", facts({}, { hasSecureOn: true }), null],
    ["none is set", facts({ hasWoken: false }), null],
  ],
  SECURE_ON_MISSING: [
    ["its card asks for one", facts({ ownAgent: own(), card: card({ secureOn: true }) }), "problem"],
    ["one is set", facts({ ownAgent: own(), card: card({ secureOn: true }) }, { hasSecureOn: true }), null],
    ["its card asks for none", facts({ ownAgent: own(), card: card({ secureOn: false }) }), null],
    ["that is not known", facts({ ownAgent: own(), card: card() }), null],
  ],
  NEVER_WOKEN: [
    ["it never came up", facts({ hasWoken: false, lastWake: wake() }), "hint"],
    ["nobody tried", facts({ hasWoken: false }), "hint"],
    ["it came up before", facts({ lastWake: wake() }), null],
  ],
  NOT_WATCHED: [
    ["no way of watching is on", facts({}, { watch: { icmp: false, arp: false, tcpPorts: [] } }), "warning"],
    ["no agent can do what is on", facts({ agents: [agent({ capabilities: ["wake", "tcp"] })] }), "warning"],
    [
      "it has no address, and no agent can find it by its MAC address",
      facts({ agents: [agent({ capabilities: ["wake", "icmp", "tcp"] })] }, { address: null }),
      "warning",
    ],
    ["it has no address, and an agent can find it", facts({}, { address: null }), null],
    [
      "a port is watched",
      facts(
        { agents: [agent({ capabilities: ["wake", "tcp"] })] },
        { watch: { icmp: false, arp: false, tcpPorts: [22] } },
      ),
      null,
    ],
    ["its own agent tells", facts({ ownAgent: own() }, { watch: { icmp: false, arp: false, tcpPorts: [] } }), null],
    ["its plug tells", facts({ hasPlugEvidence: true }, { watch: { icmp: false, arp: false, tcpPorts: [] } }), null],
    ["nobody is online, which says it", facts({ agents: [agent({ online: false, capabilities: [] })] }), null],
  ],
};

describe.each(Object.entries(TABLE))("%s", (code, rows) => {
  test.each(rows)("when %s", (_what, given, expected) => {
    expect(findings(given).find((finding) => finding.code === code)?.severity ?? null).toBe(expected);
  });
});

describe("what to do", () => {
  const adviceOn = (code: FindingCode, given: Facts) => findings(given).find((one) => one.code === code)?.advice;
  const unarmed = (os: AgentFacts["os"]) =>
    facts({ ownAgent: own({ os }), card: card({ name: "enp3s0", armed: false }) });

  test.each([
    ["linux", "ethtool -s enp3s0 wol g"],
    ["windows", 'Enable-NetAdapterPowerManagement -Name "enp3s0"'],
    ["macos", "pmset -a womp 1"],
    ["other", "enp3s0"],
  ] as const)("to arm a network card on %s is said with its commands", (os, command) => {
    expect(adviceOn("NOT_ARMED", unarmed(os))).toContain(command);
  });

  test.each([
    ["refused", "CLOCK_UNKNOWN", "NTP"],
    ["refused", "BAD_SIGNATURE", "--replace"],
    ["refused", "BUSY", "fewer"],
    ["failed", "send EACCES 255.255.255.255:9", "firewall"],
    ["failed", "send ENETUNREACH 10.0.0.255:9", "no way"],
    ["asked", null, "log"],
  ] as const)("of an agent that %s with %s is said", (stage, reason, word) => {
    expect(adviceOn("SEND_FAILED", facts({ lastWake: failed(stage, reason) }))).toContain(word);
  });

  test("is said of every finding, and fits into a message", () => {
    const all = Object.values(TABLE).flatMap((rows) => rows.flatMap(([, given]) => findings(given)));
    for (const { title, advice } of all) {
      expect(title).toMatch(/[^.]$/);
      expect(advice).toMatch(/^.{20,1000}\.$/s);
    }
  });

  test("where the window is too short, is to wait longer", () => {
    expect(adviceOn("NO_ANSWER", facts({ lastWake: wake(), slowSeconds: 200 }))).toContain("longer wake window");
  });
});

describe("the order and the verdict", () => {
  test("the gravest comes first, then what explains the others", () => {
    const many = facts(
      { agents: [], ownAgent: own(), card: card({ armed: false, kind: "wifi" }), hasWoken: false },
      { enabled: false },
    );
    const codes = findings(many).map(({ code }) => code);
    expect(codes).toEqual(["DEVICE_DISABLED", "NO_AGENT", "NOT_ARMED", "WIFI_MAC", "NEVER_WOKEN"]);
  });

  test.each<[string, Facts, string, string]>([
    ["a problem", facts({ agents: [] }), "cannot-work", "NAS cannot be woken like this. Its cluster has no agent."],
    [
      "a warning",
      facts({ lastWake: wake() }),
      "may-fail",
      "Waking NAS may fail. Magic packets were sent, and the machine did not come up.",
    ],
    ["a hint alone", facts({ hasWoken: false }), "fine", "Nothing that is known stands in the way of waking NAS."],
    ["nothing", facts(), "fine", "Nothing that is known stands in the way of waking NAS."],
  ])("of %s", (_what, given, verdict, summary) => {
    expect(verdictOf(given.device, findings(given))).toEqual({ verdict, summary });
  });

  test("a wake that ended without the machine is never left without a finding", () => {
    for (const neighbours of [[agent()], [agent(), nosy()]])
      for (const heard of [null, { by: "ears", from: "192.168.1.5" }])
        for (const last of [wake({ heard }), failed("asked", null), failed("failed", "EACCES")])
          expect(findings(facts({ neighbours, lastWake: last })).length).toBeGreaterThan(0);
  });
});
