import { expect, test } from "vitest";
import type { AuditAction } from "#contracts/api/audit.ts";
import { auditRow } from "../fixtures/settings-rows.ts";
import { detailWords, gistWords } from "./audit-details.ts";

test.each<[AuditAction, Record<string, unknown> | null, string]>([
  ["user.change", { fields: ["fullName", "enabled"] }, "full name, enabled"],
  ["user.change", { fields: ["role"], role: "viewer" }, "role: Viewer"],
  ["user.change", { fields: ["role"], role: null }, "role: none in this site"],
  ["user.change", { fields: [] }, ""],
  ["user.create", { role: "user" }, "role: User"],
  ["user.delete", { heir: "anna" }, "what was theirs went to anna"],
  ["device.change", { fields: ["ownerId", "shares", "wake"] }, "owner, sharing, waking"],
  ["device.change", { fields: ["ofANewerHub"] }, "ofANewerHub"],
  ["device.wake", { door: "http", devices: ["nas"], count: 1, begun: 1 }, ""],
  ["device.wake", { door: "http", devices: ["nas", "box"], count: 2, begun: 1 }, "2 devices"],
  ["session.login", { door: "mqtt", clientId: "x" }, "by MQTT"],
  ["session.login", { provider: "Authentik" }, "by Authentik"],
  ["token.create", { permissions: ["device:read", "device:wake"] }, "may: see devices, wake devices"],
  ["mqtt-client.change", { permissions: ["read", "power"] }, "may: read, power down"],
  ["request.refused", { action: "publish", topic: "powerbeacon/hub/x", why: "…" }, "publish to powerbeacon/hub/x"],
  ["audit.prune", { rows: 12, lastSeq: 12 }, "12 entries"],
  ["session.logout", null, ""],
])("%s with %o reads in one line: %s", (action, details, words) => {
  expect(gistWords(auditRow({ action, details }))).toBe(words);
});

test("every detail is told by a word for what it is", () => {
  const details = { fields: ["email", "role"], role: "admin", door: "mqtt-person", clusterIds: null };
  expect(detailWords(auditRow({ details }))).toEqual([
    ["Changed", "e-mail, role"],
    ["Role", "Admin"],
    ["By", "MQTT, by a token"],
    ["Clusters", "all"],
  ]);
});
