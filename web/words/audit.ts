import type { AuditAction, AuditActorType, AuditResult, AuditRow } from "#contracts/api/audit.ts";

/** What was done or tried: whether it came to pass stands beside it. */
export const ACTION_WORDS: Readonly<Record<AuditAction, string>> = {
  "session.login": "Log in",
  "session.logout": "Log out",
  "session.end": "End a session",
  "user.create": "Add an account",
  "user.change": "Change an account",
  "user.delete": "Delete an account",
  "user.password": "Change a password",
  "identity.link": "Link a log-in of the provider",
  "identity.unlink": "Unlink a log-in of the provider",
  "token.create": "Make a token",
  "token.delete": "Delete a token",
  "device.create": "Add a device",
  "device.change": "Change a device",
  "device.power-method": "Change how a device is powered off",
  "device.delete": "Delete a device",
  "device.wake": "Wake a device",
  "wake.cancel": "Cancel a wake",
  "device.power-off": "Power a device off",
  "power-off.cancel": "Call a power-off off",
  "schedule.create": "Make a schedule",
  "schedule.change": "Change a schedule",
  "schedule.delete": "Delete a schedule",
  "schedule.skip": "Leave out a firing of a schedule",
  "lease.create": "Hold a device on",
  "lease.end": "End a lease",
  "cluster.create": "Add a cluster",
  "cluster.change": "Change a cluster",
  "cluster.delete": "Delete a cluster",
  "enrolment.create": "Make a join code",
  "enrolment.delete": "Delete a join code",
  "agent.enrol": "Join an agent",
  "agent.change": "Change an agent",
  "agent.delete": "Delete an agent",
  "agent.copied": "Use a copied credential of an agent",
  "mqtt-client.create": "Make an MQTT credential",
  "mqtt-client.change": "Change an MQTT credential",
  "mqtt-client.delete": "Revoke an MQTT credential",
  "discovery.send": "Send discovery again",
  "discovery.clean-up": "Clean up discovery",
  "request.refused": "Ask for what is not allowed",
  "sign-on.change": "Change the sign-on settings",
  "site.create": "Add a site",
  "site.change": "Change a site",
  "site.delete": "Delete a site",
  "hub.setup": "Set the hub up",
  "hub.recover": "Make a superuser on the hub's own machine",
  "audit.prune": "Remove old entries of this log",
};

export const ACTOR_WORDS: Readonly<Record<AuditActorType, string>> = {
  user: "Account",
  token: "Token",
  "mqtt-client": "MQTT credential",
  agent: "Agent",
  schedule: "Schedule",
  system: "The hub itself",
  stranger: "Somebody unknown",
};

export const RESULT_WORDS: Readonly<Record<AuditResult, string>> = { ok: "Done", refused: "Refused", failed: "Failed" };

/** Who did it: a name, with its kind where that is no person's. */
export function actorWords({ type, name }: AuditRow["actor"]): string {
  if (name === null) return ACTOR_WORDS[type];
  return type === "user" || type === "stranger" ? name : `${name} (${ACTOR_WORDS[type]})`;
}

const TARGET_WORDS: Readonly<Record<string, string>> = {
  user: "Account",
  "mqtt-client": "MQTT credential",
  enrolment: "Join code",
};

/** What it was done to, with its kind. */
export function targetWords({ type, name }: NonNullable<AuditRow["target"]>): string {
  const kind = (Object.hasOwn(TARGET_WORDS, type) ? TARGET_WORDS[type] : undefined) ?? sentenceCase(type);
  return name === null ? kind : `${kind} ${name}`;
}

function sentenceCase(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** An action that this page does not know yet, of a newer hub, keeps its own name. */
export function actionWords({ action, target }: Pick<AuditRow, "action" | "target">): string {
  if (action === "device.wake" && target?.type === "cluster") return "Wake a cluster";
  if (action === "device.power-off" && target?.type === "cluster") return "Power a cluster off";
  return Object.hasOwn(ACTION_WORDS, action) ? ACTION_WORDS[action] : action;
}
