import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { ORDER_LIFETIME_MS } from "#contracts/limits.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import type { PowerCancelOrder, PowerOrder } from "#contracts/order.ts";
import { topics } from "#contracts/topics.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import type { RunningPowerOff, SentPowerOrder } from "./running-power-off.ts";

/** A broker that held the message up does not hand it out any more when the order in it has expired. */
const EXPIRES = { messageExpiryInterval: ORDER_LIFETIME_MS / 1_000 };

/** Tells the agent on a machine to take it down, or not to after all. Nobody else gets to read it. */
export class PowerOrders {
  readonly #link: Link;
  readonly #signer: HubSigner;
  readonly #log: Logger;

  constructor({ link, signer, log }: { readonly link: Link; readonly signer: HubSigner; readonly log: Logger }) {
    this.#link = link;
    this.#signer = signer;
    this.#log = log;
  }

  /** @throws Error when the power-off is carried out by no agent. */
  send(powerOff: RunningPowerOff, device: DirectoryDevice, clock: { now: Date; nowMs: number }): SentPowerOrder {
    const { agent, action, force } = powerOff;
    if (!agent) throw new Error("an order needs an agent");
    const order: PowerOrder = {
      type: "power",
      ...claims(agent.key, clock.now),
      device: powerOff.deviceKey,
      mac: MacAddress.parse(device.mac),
      chosen: device.power.ownAgentId !== null,
      action,
      force,
      countdownSeconds: device.power.countdownSeconds,
      strand: force || action === "reboot", // of a reboot it comes back by itself
    };
    const sent = { id: order.id, jws: this.#signer.sign(order), sentMs: clock.nowMs, isRepeated: false };
    this.#publish(agent.key, sent.jws);
    return sent;
  }

  /** The same order once more: an agent that has read it does nothing again. */
  repeat({ agent, order }: RunningPowerOff): void {
    if (!agent || !order) return;
    order.isRepeated = true;
    this.#publish(agent.key, order.jws);
  }

  cancel({ agent, order }: RunningPowerOff, now: Date): void {
    if (!agent || !order) return;
    const cancel: PowerCancelOrder = { type: "power-cancel", ...claims(agent.key, now), order: order.id };
    this.#publish(agent.key, this.#signer.sign(cancel));
  }

  #publish(agentKey: string, jws: string): void {
    const { options } = topics.agentOrder;
    this.#link
      .publish(topics.agentOrder.for(agentKey), jws, { ...options, properties: EXPIRES })
      .catch((error: unknown) => this.#log.warn({ err: error, agent: agentKey }, "an order could not be published"));
  }
}

function claims(agentKey: string, now: Date): { aud: string; id: string; iat: number; exp: number } {
  const iat = now.getTime() / 1_000;
  return { aud: topics.agentOrder.for(agentKey), id: randomUUID(), iat, exp: iat + ORDER_LIFETIME_MS / 1_000 };
}
