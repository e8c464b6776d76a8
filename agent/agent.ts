import type { ProbeReceipt, PowerReceipt, RefusalReason } from "#contracts/agent.ts";
import type { ProbeOrder, WakeOrder } from "#contracts/order.ts";
import { topics } from "#contracts/topics.ts";
import { backgroundWith } from "./background.ts";
import type { HubConnection, Message } from "./connection.ts";
import type { Credential } from "./credential.ts";
import { HubClock } from "./hub-clock.ts";
import { takeInventory } from "./inventory.ts";
import { HubLink } from "./link.ts";
import type { Log } from "./log.ts";
import { HostReader } from "./machine/read-host.ts";
import { HeardOutbox } from "./listen/heard-outbox.ts";
import { Listener } from "./listen/listener.ts";
import { OrderInbox } from "./orders.ts";
import { PowerDown } from "./power/power-down.ts";
import type { PowerSystem } from "./power/power-system.ts";
import { RememberedAbility } from "./power/remembered-ability.ts";
import { thisMachine } from "./power/this-machine.ts";
import { Presence } from "./presence.ts";
import { Prober } from "./prober.ts";
import { signedBy } from "./signature.ts";
import { openPublicDoor } from "./status-door.ts";
import { watchForSuspend } from "./suspend.ts";
import { fittingReceipt, refusedTarget, targetsFor } from "./wake/receipt.rules.ts";
import { canPin } from "./wake/neighbour-pins.ts";
import { Waker } from "./wake/waker.ts";
import { SightingOutbox } from "./watch/sighting-outbox.ts";
import { Watcher } from "./watch/watcher.ts";

export interface AgentOptions {
  readonly credential: Credential;
  /** The file system that holds it is the one whose fill level the heartbeat tells. */
  readonly stateDir: string;
  readonly log: Log;
  /** The hub took the credential back: this agent should stop, and keep its files. */
  readonly onRevoked?: () => void;
  /** What it takes down when the hub orders it; without it the machine that this process runs on. */
  readonly power?: PowerSystem;
  /** What it tells of its machine; without it the one that this process runs on. */
  readonly host?: HostReader;
  /** The clock that people set: milliseconds since 1970 UTC. */
  readonly wall?: () => number;
  /** Whether it hears the magic packets of others; true unless said otherwise. */
  readonly listens?: boolean;
}

export interface Agent {
  /** Whether its hub knows now that it is online. */
  readonly isConnected: boolean;
  /** Somebody on this machine wants it to stay up; false where it is not about to go down. */
  notNow(who: string): boolean;
  /** Says `offline` and goodbye, within about a second. */
  close(): Promise<void>;
}

/**
 * Runs an agent until it is closed. It dials out, keeps trying, and obeys what the hub signed.
 *
 * Nothing in it is global, so one process can run several.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { credential, stateDir, log, onRevoked } = options;
  const key = credential.agent;
  const clock = new HubClock(options.wall);
  const system = options.power ?? (await thisMachine());
  const waker = new Waker();
  const prober = new Prober();
  const inBackground = backgroundWith(log);
  const hubTime = () => new Date(clock.now(performance.now()) ?? Date.now());

  const carryOut = async (order: WakeOrder, refusal: RefusalReason | undefined) => {
    const targets = targetsFor(key, order);
    if (targets.length === 0) return;
    const done = refusal
      ? targets.map((target) => refusedTarget(target, refusal))
      : await waker.wake(targets, order.burst);
    const receipt = fittingReceipt({ order: order.id, at: hubTime().toISOString(), targets: done });
    const told = { order: order.id, devices: targets.map(({ device }) => device), refusal };
    if (refusal) log.info(told, "Refused a wake order");
    else log.info({ ...told, packets: done.reduce((sum, { packets }) => sum + packets, 0) }, "Sent magic packets");
    await link.publish(topics.agentReceipt.for(key), JSON.stringify(receipt), topics.agentReceipt.options);
  };

  const probe = async (order: ProbeOrder) => {
    const done = await prober.probe(order);
    await tellReceipt({ ...done, at: hubTime().toISOString() });
  };

  const tellReceipt = (receipt: PowerReceipt | ProbeReceipt) =>
    link.tryPublish(topics.agentReceipt.for(key), JSON.stringify(receipt), topics.agentReceipt.options);

  const notNow = (who: string) => power.notNow(who);
  const power = new PowerDown({
    system,
    clock,
    stateDir,
    publish: tellReceipt,
    now: hubTime,
    wokenAtMs: (mac) => inbox.wokenAtMs(mac),
    openDoor: options.power ? undefined : () => openPublicDoor({ notNow }, log), // a simulated machine has no people
    inBackground,
    log,
  });

  const inbox = new OrderInbox({
    open: await signedBy(credential.hubKey),
    clock,
    log,
    handlers: {
      wake: (order, refusal) => {
        inBackground("a wake order", () => carryOut(order, refusal));
        if (!refusal) for (const { device } of order.targets) watcher.awaitWake(device);
        power.woken(order);
      },
      power: (order, refusal) => power.take(order, refusal),
      powerCancel: (order) => power.cancel(order),
      probe: (order) => inBackground("a probe", () => probe(order)),
      time: (order, receivedMs) => {
        if (clock.answer(order, receivedMs)) inBackground("a heartbeat", () => presence.timeIsKnown());
        else log.debug({}, "An answer about the time came too late");
      },
      clockInDoubt: () => presence.askTimeAnew(),
      revoked: () => {
        log.error({ agent: key }, "The hub has removed this agent; join again with a new code and --replace");
        power.lostTouch("The hub has removed this agent");
        onRevoked?.();
      },
      watch: (list) => {
        if (!watcher.take(list)) log.warn({ version: list.version }, "A watch list older than the last was ignored");
      },
    },
  });

  const onMessage = (message: Message) => {
    const receivedMs = performance.now();
    const { topic } = message;
    if (topic === topics.agentStatus.for(key))
      inBackground("a late Will", () => presence.ownStatusIs(message.payload.toString()));
    else if (topic === topics.hubStatus.name) inBackground("a start of the hub", () => hubStatusIs(message));
    else inbox.take(message, receivedMs);
  };

  const hubStatusIs = async ({ payload, retained }: Message) => {
    if (retained) return;
    power.lostTouch("The hub was restarted");
    watcher.startVersionsAnew(); // at its end as well: the lists of the next hub may come before it says that it is online
    if (payload.toString() !== "online") return;
    await presence.publishInventory(link); // a hub that has just started knows nothing that is not retained
    await sightings.open(link, watcher.known());
  };

  const onConnect = async (connection: HubConnection) => {
    clock.forget();
    watcher.startVersionsAnew();
    await connection.subscribe({
      states: [topics.agentStatus.for(key), topics.agentWatch.for(key), topics.hubStatus.filter],
      orders: [topics.agentOrder.for(key), topics.clusterWake.filter],
    });
    await presence.publishInventory(connection);
    await presence.announce(connection);
    await sightings.open(connection, watcher.known());
    await presence.beat(connection);
    inBackground("the end of a power order", () => power.connected());
    log.info({ agent: key, hub: credential.mqttUrl }, "Connected to the hub");
  };

  const onEnd = () => {
    power.lostTouch("It lost its connection to the hub, which could not have taken the order back");
    presence.shut();
    sightings.shut();
  };

  const link = new HubLink({ credential, log, onConnect, onMessage, onEnd });
  const host = options.host ?? new HostReader();
  const ability = new RememberedAbility(system);
  const heard = new HeardOutbox({
    key,
    publish: (...message) => link.tryPublish(...message),
    now: hubTime,
    inBackground,
  });
  const listener = new Listener({ onPacket: (packet) => heard.add(packet), log });
  const can = async () => ((await canPin()) ? (["pin"] as const) : []);
  const listensOn = () => listener.ports;
  const inventory = () => takeInventory({ host, able: () => ability.able(), listensOn, can });
  const presence = new Presence({ key, stateDir, clock, link, inBackground, inventory });
  const sightings = new SightingOutbox({ key, outlet: link, now: hubTime, inBackground });
  const watcher = new Watcher({ now: hubTime, onSighting: (sighting) => sightings.add(sighting), inBackground });
  const suspend = watchForSuspend(() => {
    ability.forget(); // what it can do may not have survived
    clock.forget(); // at once: what has come already waits to be judged
    link.reconnect("this machine was suspended");
  });
  if (options.listens ?? true) await listener.start();
  presence.start();
  link.start();

  return {
    get isConnected() {
      return link.isConnected;
    },
    notNow,
    close: async () => {
      suspend.close();
      await power.close();
      presence.stop();
      sightings.shut();
      watcher.close();
      listener.close();
      heard.close();
      await link.close((connection) =>
        connection.publish(topics.agentStatus.for(key), "offline", topics.agentStatus.options),
      );
      waker.close();
    },
  };
}
