import type { Finding } from "#contracts/finding.ts";
import { FIRMWARE_ADVICE, armAdvice, sendAdvice } from "./advice.ts";
import { type AgentFacts, type Facts, type WakeFacts, failedWake } from "./facts.ts";
import { namesOf } from "./reach.rules.ts";
import { addressOf, areNeighbours, isInNetworkOf } from "./subnet.rules.ts";

/** What became of the magic packets of the last wake. */

export function sendFailed(facts: Facts): Finding | undefined {
  const wake = failedWake(facts);
  const bad = wake?.agents.filter(({ stage }) => stage !== "sent") ?? [];
  if (!wake || bad.length === 0) return undefined;
  const all = bad.length === wake.agents.length;
  const reasons = bad.map(({ stage, reason }) => reason ?? (stage === "asked" ? "no receipt" : "no reason given"));
  const [first = ""] = reasons;
  const who = namesOf(bad.map(({ key }) => ({ name: nameOf(facts, key) })));
  return {
    code: "SEND_FAILED",
    severity: all ? "problem" : "warning",
    title: `${who} sent no magic packet: ${first}`,
    advice: sendAdvice(reasons),
    evidence: { wake: wake.at.toISOString(), agents: bad },
  };
}

/** Sent, and a neighbour that listens did not hear it: it was lost on the way out. */
export function notOnWire(facts: Facts): Finding | undefined {
  const wake = failedWake(facts);
  const senders = wake ? sendersOf(facts, wake) : [];
  if (!wake || senders.length === 0 || wake.heard) return undefined;
  const deaf = listenersOf(facts, wake, senders);
  if (deaf.length === 0) return undefined;
  return {
    code: "NOT_ON_WIRE",
    severity: facts.hasWoken ? "warning" : "problem",
    title: `${namesOf(senders)} sent magic packets, and ${namesOf(deaf)} in the same network did not hear them`,
    advice:
      "Something on the way swallows broadcasts: a firewall on the agent's machine (let UDP to ports 7 and 9 out), a switch or access point with broadcast control or client isolation, or a virtual switch. An agent that is connected by cable to the same switch as the device is the surest.",
    evidence: {
      wake: wake.at.toISOString(),
      sentBy: senders.map(({ key }) => key),
      listening: deaf.map(({ key, machine }) => ({ agent: key, ports: machine?.listensOn ?? [] })),
    },
  };
}

/** The card has no link, or does not listen: the packet was there. */
export function noLink(facts: Facts): Finding | undefined {
  const { card, ownAgent, device } = facts;
  if (ownAgent && card?.link === false)
    return {
      code: "NO_LINK",
      severity: "problem",
      title: `The network card with ${device.mac} has no cable`,
      advice: `The machine's own agent says that ${card.name} is not connected. Plug the cable into that card, or enter the MAC address of the card that is in use.`,
      evidence: { agent: ownAgent.key, interface: card.name, link: false },
    };
  const wake = failedWake(facts);
  if (!wake?.heard) return undefined;
  return {
    code: "NO_LINK",
    severity: facts.hasWoken ? "warning" : "problem",
    title: "The magic packet was on the wire, and the machine did not come up",
    advice: `Look at the machine while it is off: the light at its network socket has to be on. If it is dark, the card gets no power or the cable is out. ${FIRMWARE_ADVICE} If the light is on: is ${device.mac} the card that the cable is in? ${armAdvice(systemOf(facts), card?.name ?? "eth0")}`,
    evidence: { wake: wake.at.toISOString(), heardBy: wake.heard.by, from: wake.heard.from },
  };
}

/** Nobody could listen, so where it was lost is not known. */
export function noAnswer(facts: Facts): Finding | undefined {
  const wake = failedWake(facts);
  if (wake?.stage !== "no-answer" || sendersOf(facts, wake).length === 0) return undefined;
  if (noLink(facts) || notOnWire(facts)) return undefined;
  const { windowSeconds } = facts.device;
  const { slowSeconds, hasWoken } = facts;
  const isShort = slowSeconds !== null && slowSeconds >= windowSeconds;
  const look = hasWoken
    ? "It has come up before: look whether the machine has power, whether its cable is in, and whether its settings were changed, as an update of the firmware or the driver does."
    : `Look whether the machine has power and its cable is in. ${FIRMWARE_ADVICE}`;
  return {
    code: "NO_ANSWER",
    severity: "warning",
    title: isShort
      ? `It was not up after ${windowSeconds} s, and has needed up to ${Math.round(slowSeconds)} s before`
      : "Magic packets were sent, and the machine did not come up",
    advice: isShort
      ? "Give it more time: enter a longer wake window in its settings."
      : `${look} A second agent in its network that listens for magic packets would tell whether they arrive.`,
    evidence: { wake: wake.at.toISOString(), windowSeconds, slowSeconds },
  };
}

export function neverWoken({ hasWoken, lastWake, device, card, ownAgent }: Facts): Finding | undefined {
  if (hasWoken) return undefined;
  return {
    code: "NEVER_WOKEN",
    severity: "hint",
    title: lastWake ? "It has never come up by a magic packet so far" : "It has not been woken so far",
    advice: `Whether it can be woken is proved by a wake alone. Let it sleep once while you are near, and wake it. ${card?.armed === true ? FIRMWARE_ADVICE : armAdvice(ownAgent?.os ?? device.os, card?.name ?? "eth0")}`,
    evidence: { lastWake: lastWake?.at.toISOString() ?? null },
  };
}

/** Agents that said that they sent, and are still there. */
function sendersOf({ neighbours, agents }: Facts, wake: WakeFacts): AgentFacts[] {
  const sent = new Set(wake.agents.filter(({ stage }) => stage === "sent").map(({ key }) => key));
  const known = new Map([...neighbours, ...agents].map((agent) => [agent.key, agent]));
  return [...known.values()].filter(({ key }) => sent.has(key));
}

/** Others that were online all the time, listen on a port that was sent to, and are in the device's network or a sender's. */
function listenersOf(facts: Facts, wake: WakeFacts, senders: readonly AgentFacts[]): AgentFacts[] {
  const address = addressOf(facts);
  return facts.neighbours.filter((agent) => {
    const { online, since, machine } = agent;
    if (!online || !since || since > wake.at) return false;
    if (!machine?.listensOn.some((port) => facts.device.wakePorts.includes(port))) return false;
    if (machine.container === "bridge") return false;
    const others = senders.filter((sender) => sender.key !== agent.key);
    if (others.length < senders.length) return false; // it sent itself: whatever it heard proves nothing
    return address === undefined
      ? others.some((sender) => areNeighbours(agent, sender))
      : isInNetworkOf(agent, address) && others.some((sender) => areNeighbours(agent, sender));
  });
}

function nameOf({ agents, neighbours }: Facts, key: string): string {
  return [...agents, ...neighbours].find((agent) => agent.key === key)?.name ?? key;
}

function systemOf({ ownAgent, device }: Facts) {
  return ownAgent?.os ?? device.os;
}
