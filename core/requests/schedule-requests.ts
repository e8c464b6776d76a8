import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "pino";
import { type Actor, mayChange } from "#contracts/permissions.ts";
import { PERSON_MARK } from "#contracts/principal.ts";
import { topics } from "#contracts/topics.ts";
import type { Accounts } from "../auth/accounts.ts";
import { HubError } from "../kernel/errors.ts";
import type { Link, LinkMessage, Sender } from "../kernel/link.ts";
import type { Trail } from "../kernel/trail.ts";
import type { Directory } from "../members/directory.ts";
import type { KnownSchedule, Schedules } from "../schedules/schedules.ts";
import { changeSchedule } from "../schedules/schedules.service.ts";
import type { RequestRefusal } from "./requests.messages.ts";
import type { Requester } from "./rights.ts";

export interface ScheduleRequestParts {
  readonly link: Link;
  readonly schedules: Schedules;
  readonly directory: Directory;
  readonly accounts: Accounts;
  /** An entity manager bound to a site. */
  readonly boundTo: (siteId: string) => EntityManager;
  /** Who sent a message, as far as the broker tells. */
  readonly requesterOf: (sender: Sender) => Requester;
  /** The audit log under the name of an MQTT client. */
  readonly trailOf: (sender: Sender) => Trail;
  readonly onRefused: (refusal: RequestRefusal) => void;
  readonly log: Logger;
}

/** The broker and the rights were asked; the hub carries it out. */
const HUB: Actor = { userId: "", role: "superuser", permissions: null };

const NEVER_RETAINED = "Requests are never retained";

/** `ON` and `OFF` on `schedule/<schedule>/set` enable and disable it. */
export function listenToSchedules(parts: ScheduleRequestParts) {
  const { link, schedules, onRefused, log } = parts;

  link.on(topics.scheduleSet, (message) => void carryOut(message));

  async function carryOut(message: LinkMessage): Promise<void> {
    try {
      if (message.retained) throw new HubError("RETAINED_COMMAND", NEVER_RETAINED);
      const schedule = schedules.byKey(message.key);
      if (!schedule) throw new HubError("NOT_FOUND", `There is no schedule "${message.key}"`);
      const word = message.payload.toString("utf8").trim().toUpperCase();
      if (word !== "ON" && word !== "OFF")
        throw new HubError("INVALID_REQUEST", `Schedule "${message.key}" is set ON or OFF`);
      checkMayChange(parts.requesterOf(message), schedule);
      await setEnabled(message, schedule, word === "ON");
    } catch (error) {
      if (!(error instanceof HubError)) log.error({ err: error }, "a schedule could not be set");
      refuse(message, error instanceof HubError ? error.message : "The hub made a mistake; its log says more");
    }
  }

  async function setEnabled(
    message: LinkMessage,
    { id, siteId, enabled }: KnownSchedule,
    wanted: boolean,
  ): Promise<void> {
    if (enabled === wanted) return;
    const { directory, accounts, boundTo, trailOf } = parts;
    const context = { em: boundTo(siteId), siteId, schedules, directory, accounts, actor: HUB };
    await changeSchedule({ ...context, trail: trailOf(message).in(siteId) }, id, { enabled: wanted }, new Date());
  }

  function refuse({ by, siteId }: Sender, reason: string): void {
    onRefused({ siteId, by: by.replace(PERSON_MARK, ""), cluster: null, device: null, transaction: null, reason });
  }

  return {
    /** Reports a retained request that the broker did not let through. Returns false when the topic is none of schedules. */
    refuseRetained: (topic: string, sender: Sender): boolean => {
      if (topics.scheduleSet.match(topic) === undefined) return false;
      refuse(sender, NEVER_RETAINED);
      return true;
    },
  };
}

/**
 * A credential that may do what the schedule does, everywhere in its site, since a schedule may be about all of it; a person who may
 * change it over HTTP.
 *
 * @throws HubError FORBIDDEN
 */
function checkMayChange(requester: Requester, schedule: KnownSchedule): void {
  if (mayChangeAs(requester, schedule)) return;
  throw new HubError("FORBIDDEN", `You may not set the schedule "${schedule.key}"`);
}

function mayChangeAs(requester: Requester, schedule: KnownSchedule): boolean {
  switch (requester.type) {
    case "anyone":
      return true;
    case "nobody":
      return false;
    case "integration": {
      const { siteId, clusters, permissions } = requester;
      const needed = schedule.action === "wake" ? "wake" : "power";
      return siteId === schedule.siteId && clusters === null && permissions.has(needed);
    }
    case "person":
      return (
        requester.siteId === schedule.siteId &&
        mayChange(requester.actor, "schedule:change", { ownerId: schedule.ownerId, shares: [] })
      );
  }
}
