import { describe, expect, it } from "vitest";
import { type ClusterDirectory, mayRead, refusalOfPublish, refusalOfSubscribe } from "./access-policy.ts";
import { people } from "./testing.ts";
import { TopicRules } from "./topic-rules.ts";

const rules = new TopicRules("powerbeacon", "homeassistant");
const directory: ClusterDirectory = {
  clusterOfDevice: (device) =>
    new Map([
      ["nas", "home"],
      ["printer", "office"],
    ]).get(device),
  clusterOfAgent: (agent) =>
    new Map([
      ["pi", "home"],
      ["attic", "office"],
    ]).get(agent),
  clusterOfDiscovery: (objectId) => (objectId === "office-printer" ? "office" : undefined),
};
const who = people();
const columns = ["pi", "ha", "reader", "waker", "power", "office", "bare"] as const;

/** p = may publish, t = may publish retained, r = may read. Payloads: see `payloads`. */
const table = `
  topic                                        payload  pi   ha   reader waker power office bare
  powerbeacon/hub/status                       text     r    r    r      -     -     r      -
  powerbeacon/hub/info                         text     r    r    r      -     -     r      -
  powerbeacon/hub/update                       text     -    r    r      -     -     r      -
  powerbeacon/hub/request/rename               text     -    p    p      p     p     p      -
  powerbeacon/hub/response/rename              text     -    r    -      -     -     -      -
  powerbeacon/event                            text     -    r    -      -     -     -      -
  powerbeacon/cluster/home/wake                text     -    p    -      p     -     -      -
  powerbeacon/cluster/home/wake                empty    -    p    -      p     -     -      -
  powerbeacon/cluster/home/wake                signed   r    -    -      -     -     -      -
  powerbeacon/cluster/office/wake              text     -    p    -      -     -     p      -
  powerbeacon/cluster/office/wake              signed   -    -    -      -     -     -      -
  powerbeacon/cluster/home/wake/result         text     -    r    r      -     -     -      -
  powerbeacon/cluster/office/wake/result       text     -    r    -      -     -     r      -
  powerbeacon/cluster/home/set                 text     -    p    -      p     p     -      -
  powerbeacon/cluster/office/set               text     -    p    -      -     -     p      -
  powerbeacon/cluster/home/state               text     -    r    r      -     -     -      -
  powerbeacon/cluster/home/info                text     -    r    r      -     -     -      -
  powerbeacon/cluster/office/info              text     -    r    -      -     -     r      -
  powerbeacon/device/nas/set                   text     -    p    -      p     p     -      -
  powerbeacon/device/nas/state                 text     -    r    r      -     -     -      -
  powerbeacon/device/nas/availability          text     -    r    r      -     -     -      -
  powerbeacon/device/nas/info                  text     -    r    r      -     -     -      -
  powerbeacon/device/nas/result                text     -    r    r      -     -     -      -
  powerbeacon/device/nas/event                 text     -    r    r      -     -     -      -
  powerbeacon/device/printer/set               text     -    p    -      -     -     p      -
  powerbeacon/device/printer/state             text     -    r    -      -     -     r      -
  powerbeacon/device/ghost/set                 text     -    p    -      -     -     -      -
  powerbeacon/device/ghost/state               text     -    r    -      -     -     -      -
  powerbeacon/agent/pi/status                  text     ptr  r    r      -     -     -      -
  powerbeacon/agent/pi/heartbeat               text     pt   r    r      -     -     -      -
  powerbeacon/agent/pi/inventory               text     pt   -    -      -     -     -      -
  powerbeacon/agent/pi/update                  text     pt   r    r      -     -     -      -
  powerbeacon/agent/pi/receipt                 text     p    -    -      -     -     -      -
  powerbeacon/agent/pi/sightings               text     p    -    -      -     -     -      -
  powerbeacon/agent/pi/order                   signed   r    -    -      -     -     -      -
  powerbeacon/agent/pi/watch                   signed   r    -    -      -     -     -      -
  powerbeacon/agent/pi/unknown                 text     -    -    -      -     -     -      -
  powerbeacon/agent/attic/status               text     -    r    -      -     -     r      -
  powerbeacon/agent/attic/heartbeat            text     -    r    -      -     -     r      -
  powerbeacon/agent/attic/inventory            text     -    -    -      -     -     -      -
  powerbeacon/agent/attic/receipt              text     -    -    -      -     -     -      -
  powerbeacon/agent/attic/order                signed   -    -    -      -     -     -      -
  powerbeacon/agent/attic/watch                signed   -    -    -      -     -     -      -
  powerbeacon/client/ha/response/1             text     -    r    -      -     -     -      -
  powerbeacon/client/pi/response/a/b           text     r    -    -      -     -     -      -
  powerbeacon/client/reader/other              text     -    -    -      -     -     -      -
  powerbeacon/constructor                      text     -    -    -      -     -     -      -
  powerbeacon/device/__proto__/state           text     -    r    -      -     -     -      -
  powerbeacon                                  text     -    -    -      -     -     -      -
  elsewhere/device/nas/state                   text     -    -    -      -     -     -      -
  device/nas/set                               text     -    -    -      -     -     -      -
  $SYS/broker/version                          text     -    -    -      -     -     -      -
  homeassistant/status                         text     -    ptr  -      -     -     ptr    -
  homeassistant/device/hub-1/config            text     -    r    -      -     -     -      -
  homeassistant/device/hub-1/config            empty    -    tr   -      -     -     -      -
  homeassistant/device/office-printer/config   text     -    r    -      -     -     r      -
  homeassistant/device/office-printer/config   empty    -    tr   -      -     -     tr     -
  homeassistant/device/hub-1/more/config       empty    -    r    -      -     -     -      -
  homeassistant/switch/lamp/config             empty    -    r    -      -     -     -      -
`;

const payloads: Record<string, Buffer> = {
  text: Buffer.from("ON"),
  empty: Buffer.alloc(0),
  signed: Buffer.from("eyJhbGciOiJFZERTQSJ9.e30.c2ln"),
};

const cells = table
  .trim()
  .split("\n")
  .slice(1)
  .flatMap((line) => {
    const [topic = "", payload = "", ...rights] = line.trim().split(/\s+/);
    return columns.map((name, at) => ({ topic, payload, name, rights: rights[at] ?? "missing" }));
  });

function rightsOf(name: string, fullName: string, payload: Buffer): string {
  const principal = who[name];
  if (!principal) throw new Error(`nobody is called ${name}`);
  const topic = rules.of(fullName);
  const may = (retain: boolean) => refusalOfPublish(principal, topic, { payload, retain }, directory) === null;
  const rights = `${may(false) ? "p" : ""}${may(true) ? "t" : ""}${mayRead(principal, topic, payload, directory) ? "r" : ""}`;
  return rights || "-";
}

describe("the access rules", () => {
  it.each(cells)("give $name on $topic ($payload) exactly: $rights", ({ name, topic, payload, rights }) => {
    expect(rightsOf(name, topic, payloads[payload] ?? Buffer.alloc(0))).toBe(rights);
  });

  it.each(cells)("let the hub do everything on $topic", ({ topic, payload }) => {
    who["hub"] = { type: "hub", id: "hub", username: "hub" };
    expect(rightsOf("hub", topic, payloads[payload] ?? Buffer.alloc(0))).toBe("ptr");
  });

  it("follow an agent into another cluster at once", () => {
    const mover = people()["pi"];
    if (mover?.type !== "agent") throw new Error("pi is an agent");
    const order = rules.of("powerbeacon/cluster/office/wake");
    const signed = payloads["signed"] ?? Buffer.alloc(0);
    expect(mayRead(mover, order, signed, directory)).toBe(false);
    mover.cluster = "office" as typeof mover.cluster;
    expect(mayRead(mover, order, signed, directory)).toBe(true);
  });

  it("keep responses from a client whose name reaches into another's", () => {
    const sneaky = { ...people()["ha"], username: "ha/response/x" } as never;
    expect(mayRead(sneaky, rules.of("powerbeacon/client/ha/response/x/response/1"), Buffer.alloc(0), directory)).toBe(
      false,
    );
  });
});

function refusal(name: string, filter: string): string | null {
  const principal = who[name];
  if (!principal) throw new Error(`nobody is called ${name}`);
  return refusalOfSubscribe(principal, filter, rules.of(filter), directory);
}

describe("a subscription", () => {
  it.each([
    ["pi", "powerbeacon/cluster/+/wake"],
    ["pi", "powerbeacon/agent/pi/order"],
    ["pi", "#"],
    ["reader", "powerbeacon/#"],
    ["reader", "powerbeacon/device/nas/state"],
    ["reader", "powerbeacon/device/not-there-yet/state"],
    ["ha", "homeassistant/#"],
    ["bare", "powerbeacon/#"],
  ])("of %s to %s is granted", (name, filter) => {
    expect(refusal(name, filter)).toBeNull();
  });

  it.each([
    ["pi", "powerbeacon/agent/attic/order"],
    ["pi", "powerbeacon/device/nas/state"],
    ["reader", "powerbeacon/device/printer/state"],
    ["reader", "powerbeacon/agent/pi/order"],
    ["waker", "powerbeacon/device/nas/state"],
    ["ha", "powerbeacon/client/reader/response/1"],
    ["ha", "$SYS/#"],
    ["ha", "elsewhere"],
  ])("of %s to %s is refused with a reason", (name, filter) => {
    expect(refusal(name, filter)).not.toBeNull();
  });
});
