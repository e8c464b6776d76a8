import { createHash } from "node:crypto";
import type { DeviceChange, DeviceCreate } from "#contracts/api/devices.ts";
import { type Difference, IMPORT_FIELDS, type ImportField, type ImportItem } from "#contracts/api/imports.ts";
import { UNASSIGNED } from "#contracts/key.ts";
import { type Actor, mayChange } from "#contracts/permissions.ts";
import { checkAddresses } from "../devices/address.rules.ts";
import { checkMac } from "../devices/mac.rules.ts";
import { HubError } from "../kernel/errors.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import { type FieldValue, type ImportedFields, fieldsOf, isSame, textOf } from "./fields.rules.ts";
import { type Candidate, type Found, type Unusable, isUsable } from "./found.rules.ts";
import { type Place, placeOf } from "./place.rules.ts";

/** Who imports, and where to. */
export interface Target {
  readonly directory: Directory;
  readonly siteId: string;
  readonly actor: Actor;
  /** Where new devices go that name no cluster; null: into none. */
  readonly clusterId: string | null;
}

interface Proposed {
  readonly candidate: Candidate;
  readonly differences: readonly Difference[];
  readonly version: string;
  readonly notes: readonly string[];
}

/** What would become of one device of a text, and what the hub has to do for it. */
export type Proposal =
  | (Proposed & { readonly action: "create"; readonly input: DeviceCreate })
  | (Proposed & { readonly action: "change"; readonly device: DirectoryDevice; readonly change: DeviceChange })
  | { readonly action: "unchanged"; readonly candidate: Candidate; readonly device: DirectoryDevice }
  | (Unusable & { readonly action: "impossible"; readonly notes: readonly string[] });

/** Compares what was found with the devices of the site, by their MAC addresses. Of two that are the same the first counts. */
export function proposalsFor(found: readonly Found[], target: Target): Proposal[] {
  const lines = new Map<string, number>();
  return found.map((each) => {
    if (!isUsable(each)) return { action: "impossible", ...each, notes: [] };
    const { mac } = each.fields;
    const before = lines.get(mac);
    if (before !== undefined) return impossible(each, `Line ${before} has this MAC address already.`);
    lines.set(mac, each.line);
    return proposalFor(each, target);
  });
}

function proposalFor(candidate: Candidate, target: Target): Proposal {
  const device = target.directory.deviceByMac(target.siteId, candidate.fields.mac);
  if (!device) return creation(candidate, target);
  const before = fieldsOf(device, target.directory);
  const place = placeOf(candidate.fields, { ...target, before });
  if ("problem" in place) return impossible(candidate, place.problem, device);
  const said: ImportedFields = { ...candidate.fields, ...place.said };
  const changed = IMPORT_FIELDS.filter((field) => field !== "key" && isChanged(said[field], before[field])); // keys stay for good
  if (changed.length === 0) return { action: "unchanged", candidate, device };
  if (!mayChange(target.actor, "device:change", device))
    return impossible(candidate, "It belongs to somebody else, so you may not change it.", device);
  const change = inputOf(said, changed, place);
  const forbidden = whyForbidden(() => checkAddresses(target.actor, change));
  if (forbidden !== undefined) return impossible(candidate, forbidden, device);
  const differences = changed.map((field) => ({
    field,
    from: textOf(before[field]),
    to: textOf(said[field] ?? null),
  }));
  const isMoved = changed.includes("cluster") && !changed.includes("agents") && before.agents.length > 0;
  const notes = [...candidate.notes, ...(isMoved ? ["Its links to agents of the old cluster go."] : [])];
  const version = versionOf("change", device.id, differences);
  return { action: "change", candidate, device, change, differences, version, notes };
}

function creation(candidate: Candidate, target: Target): Proposal {
  const { fields, suggested, notes } = candidate;
  const place = placeOf(fields, { ...target, before: undefined });
  if ("problem" in place) return impossible(candidate, place.problem);
  const isKeyFree =
    fields.key !== undefined && !fields.key.startsWith(UNASSIGNED) && !target.directory.devices.byKey(fields.key);
  const said: ImportedFields = {
    ...fields,
    ...place.said,
    name: fields.name ?? suggested.name,
    description: fields.description === undefined ? suggested.description : fields.description,
    key: isKeyFree ? fields.key : undefined,
  };
  const given = IMPORT_FIELDS.filter((field) => said[field] !== undefined);
  const rest = inputOf(said, given, place);
  const input = { ...rest, name: said.name ?? suggested.name, mac: fields.mac, ...(isKeyFree && { key: fields.key }) };
  const forbidden = whyForbidden(() => {
    checkAddresses(target.actor, input);
    checkMac(target.actor, target.directory, { siteId: target.siteId, mac: input.mac });
  });
  if (forbidden !== undefined) return impossible(candidate, forbidden);
  const differences = given.flatMap((field) => {
    const to = textOf(said[field] ?? null);
    return to === null ? [] : [{ field, from: null, to }];
  });
  const isRenamed = fields.key !== undefined && !isKeyFree;
  return {
    action: "create",
    candidate,
    input,
    differences,
    version: versionOf("create", fields.mac, differences),
    notes: [...notes, ...(isRenamed ? [`The key “${fields.key}” is taken, so it gets another one.`] : [])],
  };
}

function isChanged(said: FieldValue | undefined, before: FieldValue): boolean {
  return said !== undefined && !isSame(said, before);
}

/** These fields in the form of the API. */
function inputOf(said: ImportedFields, fields: readonly ImportField[], place: Place): DeviceChange {
  const input: Record<string, unknown> = {};
  const parts: Record<string, Record<string, unknown>> = {};
  for (const field of fields) {
    const [part = "", name] = field.split(".");
    if (field === "cluster") input["clusterId"] = place.clusterId;
    else if (field === "agents") input["agentIds"] = place.agentIds;
    else if (name !== undefined) (parts[part] ??= {})[name] = said[field];
    else if (field !== "key") input[field] = said[field];
  }
  return { ...input, ...parts }; // each field passed its schema, which is the one of the API
}

function whyForbidden(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof HubError) return `${error.message}.`;
    throw error;
  }
}

function versionOf(action: string, what: string, differences: readonly Difference[]): string {
  return createHash("sha256")
    .update(JSON.stringify([action, what, differences]))
    .digest("base64url")
    .slice(0, 22);
}

function impossible(candidate: Candidate, problem: string, device?: DirectoryDevice): Proposal {
  const { line, fields, suggested, notes } = candidate;
  return {
    action: "impossible",
    line,
    mac: fields.mac,
    name: fields.name ?? device?.name ?? suggested.name,
    problem,
    notes,
  };
}

/** A proposal as a person is shown it. */
export function itemOf(proposal: Proposal): ImportItem {
  if (proposal.action === "impossible") return { ...proposal, notes: [...proposal.notes] };
  const { line, fields, suggested } = proposal.candidate;
  const found = { line, mac: fields.mac };
  switch (proposal.action) {
    case "create": {
      const { action, input, differences, version, notes } = proposal;
      return { action, ...found, name: input.name, notes: [...notes], differences: [...differences], version };
    }
    case "change": {
      const { action, device, differences, version, notes } = proposal;
      const name = fields.name ?? device.name;
      return {
        action,
        ...found,
        name,
        notes: [...notes],
        differences: [...differences],
        version,
        device: refOf(device),
      };
    }
    case "unchanged": {
      const { action, candidate, device } = proposal;
      const name = fields.name ?? device.name ?? suggested.name;
      return { action, ...found, name, notes: [...candidate.notes], device: refOf(device) };
    }
  }
}

export function refOf({ id, key, name }: { id: string; key: string; name: string }) {
  return { id, key, name };
}
