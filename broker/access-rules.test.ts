import { describe, expect, it } from "vitest";
import { refusalOfPublish } from "./publish-rules.ts";
import { mayRead, refusalOfSubscribe } from "./read-rules.ts";
import { people, places } from "./testing.ts";
import { TopicRules } from "./topic-rules.ts";

const rules = new TopicRules("powerbeacon", "homeassistant");
const { directory } = places();
const who = people();
const columns = [
  ...(["pi", "ha", "reader", "waker", "power", "office", "bare", "shop"] as const),
  ...(["~ann", "~ben", "~eve", "~off"] as const),
];

/** p = may publish, t = may publish retained, r = may read. Payloads: see `payloads`. The site is what the message itself says. */
const table = `
  topic                                        payload  site   pi   ha   reader waker power office bare shop ~ann ~ben ~eve ~off
  powerbeacon/hub/status                       text     -      r    r    r      -     -     r      -    r    r    r    r    r
  powerbeacon/hub/info                         text     -      r    r    r      -     -     r      -    r    r    r    r    r
  powerbeacon/hub/update                       text     -      -    r    r      -     -     r      -    r    r    r    r    r
  powerbeacon/hub/request/rename               text     -      -    p    p      p     p     p      -    p    p    p    p    p
  powerbeacon/hub/response/rename              text     house  -    r    -      -     -     -      -    -    r    -    -    -
  powerbeacon/hub/response/rename              text     shop   -    -    -      -     -     -      -    r    -    -    -    -
  powerbeacon/event                            text     house  -    r    -      -     -     -      -    -    r    r    -    -
  powerbeacon/event                            text     shop   -    -    -      -     -     -      -    r    -    -    -    -
  powerbeacon/event                            text     -      -    r    -      -     -     -      -    r    r    r    -    -
  powerbeacon/cluster/home/wake                text     -      -    p    -      p     -     -      -    -    p    p    -    -
  powerbeacon/cluster/home/wake                empty    -      -    p    -      p     -     -      -    -    p    p    -    -
  powerbeacon/cluster/home/wake                signed   -      r    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/cluster/office/wake              text     -      -    p    -      -     -     p      -    -    p    -    -    -
  powerbeacon/cluster/office/wake              signed   -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/cluster/till/wake                text     -      -    -    -      -     -     -      -    p    -    -    -    -
  powerbeacon/cluster/home/wake/result         text     -      -    r    r      -     -     -      -    -    r    r    r    -
  powerbeacon/cluster/office/wake/result       text     -      -    r    -      -     -     r      -    -    r    r    r    -
  powerbeacon/cluster/till/wake/result         text     house  -    -    -      -     -     -      -    r    -    -    -    -
  powerbeacon/cluster/home/set                 text     -      -    p    -      p     p     -      -    -    p    p    -    -
  powerbeacon/cluster/office/set               text     -      -    p    -      -     -     p      -    -    p    -    -    -
  powerbeacon/cluster/till/set                 text     -      -    -    -      -     -     -      -    p    -    -    -    -
  powerbeacon/cluster/home/state               text     -      -    r    r      -     -     -      -    -    r    r    r    -
  powerbeacon/cluster/home/info                text     -      -    r    r      -     -     -      -    -    r    r    r    -
  powerbeacon/cluster/office/info              text     -      -    r    -      -     -     r      -    -    r    r    r    -
  powerbeacon/cluster/till/info                text     -      -    -    -      -     -     -      -    r    -    -    -    -
  powerbeacon/cluster/ghost/state              empty    house  -    r    -      -     -     -      -    -    r    r    r    -
  powerbeacon/device/nas/set                   text     -      -    p    -      p     p     -      -    -    p    p    -    -
  powerbeacon/device/nas/state                 text     -      -    r    r      -     -     -      -    -    r    r    r    -
  powerbeacon/device/nas/availability          text     -      -    r    r      -     -     -      -    -    r    r    r    -
  powerbeacon/device/nas/info                  text     -      -    r    r      -     -     -      -    -    r    r    r    -
  powerbeacon/device/nas/result                text     -      -    r    r      -     -     -      -    -    r    r    r    -
  powerbeacon/device/nas/event                 text     -      -    r    r      -     -     -      -    -    r    r    r    -
  powerbeacon/device/printer/set               text     -      -    p    -      -     -     p      -    -    p    -    -    -
  powerbeacon/device/printer/state             text     -      -    r    -      -     -     r      -    -    r    r    r    -
  powerbeacon/device/register/set              text     -      -    -    -      -     -     -      -    p    -    -    -    -
  powerbeacon/device/register/state            text     -      -    -    -      -     -     -      -    r    -    -    -    -
  powerbeacon/device/register/result           text     house  -    -    -      -     -     -      -    r    -    -    -    -
  powerbeacon/device/ghost/set                 text     -      -    p    -      -     -     -      -    p    p    -    -    -
  powerbeacon/device/ghost/state               text     -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/device/ghost/state               empty    house  -    r    -      -     -     -      -    -    r    r    r    -
  powerbeacon/device/ghost/result              text     shop   -    -    -      -     -     -      -    r    -    -    -    -
  powerbeacon/agent/pi/status                  text     -      ptr  r    r      -     -     -      -    -    r    r    -    -
  powerbeacon/agent/pi/heartbeat               text     -      pt   r    r      -     -     -      -    -    r    r    -    -
  powerbeacon/agent/pi/inventory               text     -      pt   -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/pi/update                  text     -      pt   r    r      -     -     -      -    -    r    r    -    -
  powerbeacon/agent/pi/receipt                 text     -      p    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/pi/sightings               text     -      p    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/pi/order                   signed   -      r    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/pi/watch                   signed   -      r    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/pi/unknown                 text     -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/attic/status               text     -      -    r    -      -     -     r      -    -    r    r    -    -
  powerbeacon/agent/attic/heartbeat            text     -      -    r    -      -     -     r      -    -    r    r    -    -
  powerbeacon/agent/attic/inventory            text     -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/attic/receipt              text     -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/attic/order                signed   -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/attic/watch                signed   -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/counter/status             text     -      -    -    -      -     -     -      -    r    -    -    -    -
  powerbeacon/agent/counter/order              signed   -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/agent/ghost/status               empty    house  -    r    -      -     -     -      -    -    r    r    -    -
  powerbeacon/client/ha/response/1             text     house  -    r    -      -     -     -      -    -    -    -    -    -
  powerbeacon/client/pi/response/a/b           text     -      r    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/client/~eve/response/1           text     house  -    -    -      -     -     -      -    -    -    -    r    -
  powerbeacon/client/~eve/response/1           text     shop   -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/client/eve/response/1            text     -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/client/reader/other              text     -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/constructor                      text     -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon/device/__proto__/state           text     -      -    -    -      -     -     -      -    -    -    -    -    -
  powerbeacon                                  text     -      -    -    -      -     -     -      -    -    -    -    -    -
  elsewhere/device/nas/state                   text     -      -    -    -      -     -     -      -    -    -    -    -    -
  device/nas/set                               text     -      -    -    -      -     -     -      -    -    -    -    -    -
  $SYS/broker/version                          text     -      -    -    -      -     -     -      -    -    -    -    -    -
  homeassistant/status                         text     house  -    ptr  -      -     -     ptr    -    pt   ptr  -    -    -
  homeassistant/status                         text     shop   -    pt   -      -     -     pt     -    ptr  pt   -    -    -
  homeassistant/device/hub-1/config            text     -      -    r    -      -     -     -      -    r    r    -    -    -
  homeassistant/device/hub-1/config            empty    -      -    tr   -      -     -     -      -    r    tr   -    -    -
  homeassistant/device/office-printer/config   text     house  -    r    -      -     -     r      -    -    r    -    -    -
  homeassistant/device/office-printer/config   empty    house  -    tr   -      -     -     tr     -    -    tr   -    -    -
  homeassistant/device/shop-register/config    empty    shop   -    -    -      -     -     -      -    tr   -    -    -    -
  homeassistant/device/removed/config          empty    shop   -    t    -      -     -     -      -    tr   t    -    -    -
  homeassistant/device/hub-1/more/config       empty    -      -    r    -      -     -     -      -    r    r    -    -    -
  homeassistant/switch/lamp/config             empty    -      -    r    -      -     -     -      -    r    r    -    -    -
  homeassistant/switch/hub-1/power/config      text     -      -    r    -      -     -     -      -    r    r    -    -    -
  homeassistant/switch/hub-1/power/config      empty    -      -    tr   -      -     -     -      -    r    tr   -    -    -
  homeassistant/switch/office-printer/p/config text     house  -    r    -      -     -     r      -    -    r    -    -    -
  homeassistant/switch/office-printer/p/config empty    house  -    tr   -      -     -     tr     -    -    tr   -    -    -
  homeassistant/switch/shop-register/p/config  empty    shop   -    -    -      -     -     -      -    tr   -    -    -    -
  homeassistant/switch/removed/p/config        empty    shop   -    t    -      -     -     -      -    tr   t    -    -    -
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
    const [topic = "", payload = "", site = "", ...rights] = line.trim().split(/\s+/);
    const siteId = site === "-" ? null : site;
    return columns.map((name, at) => ({ topic, payload, siteId, name, rights: rights[at] ?? "missing" }));
  });

function rightsOf(name: string, fullName: string, payload: Buffer, siteId: string | null): string {
  const principal = who[name];
  if (!principal) throw new Error(`nobody is called ${name}`);
  const topic = rules.of(fullName);
  const may = (retain: boolean) => refusalOfPublish(principal, topic, { payload, retain }, directory) === null;
  const rights = `${may(false) ? "p" : ""}${may(true) ? "t" : ""}${mayRead(principal, topic, { payload, siteId }, directory) ? "r" : ""}`;
  return rights || "-";
}

describe("the access rules", () => {
  it.each(cells)("give $name on $topic ($payload, of $siteId) $rights", ({ name, topic, payload, siteId, rights }) => {
    expect(rightsOf(name, topic, payloads[payload] ?? Buffer.alloc(0), siteId)).toBe(rights);
  });

  it.each(cells)("let the hub do everything on $topic", ({ topic, payload, siteId }) => {
    who["hub"] = { type: "hub", id: "hub", username: "hub" };
    expect(rightsOf("hub", topic, payloads[payload] ?? Buffer.alloc(0), siteId)).toBe("ptr");
  });

  it("follow an agent into another cluster at once", () => {
    const mover = people()["pi"];
    if (mover?.type !== "agent") throw new Error("pi is an agent");
    const order = rules.of("powerbeacon/cluster/office/wake");
    const signed = { payload: payloads["signed"] ?? Buffer.alloc(0), siteId: null };
    expect(mayRead(mover, order, signed, directory)).toBe(false);
    mover.cluster = "office" as typeof mover.cluster;
    expect(mayRead(mover, order, signed, directory)).toBe(true);
  });

  it("keep responses from a client whose name reaches into another's", () => {
    const sneaky = { ...people()["ha"], username: "ha/response/x" } as never;
    const response = rules.of("powerbeacon/client/ha/response/x/response/1");
    expect(mayRead(sneaky, response, { payload: Buffer.alloc(0), siteId: null }, directory)).toBe(false);
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
    ["shop", "powerbeacon/event"],
    ["~eve", "powerbeacon/device/printer/state"],
    ["~off", "powerbeacon/#"],
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
    ["ha", "powerbeacon/device/register/state"],
    ["shop", "powerbeacon/device/nas/state"],
    ["~ann", "powerbeacon/device/register/state"],
    ["~eve", "powerbeacon/agent/pi/status"],
    ["~off", "powerbeacon/event"],
  ])("of %s to %s is refused with a reason", (name, filter) => {
    expect(refusal(name, filter)).not.toBeNull();
  });
});
