import type { ImportInput, ImportPreview, ImportPreviewInput, ImportResult } from "#contracts/api/imports.ts";
import type { ManyDevices } from "../devices/many-devices.service.ts";
import { saveDevices } from "../devices/many-devices.service.ts";
import type { DevicesContext } from "../devices/devices.service.ts";
import { HubError } from "../kernel/errors.ts";
import type { TrailEvent } from "../kernel/trail.ts";
import { changeMembers } from "../members/members.service.ts";
import { type Proposal, type Target, itemOf, proposalsFor, refOf } from "./difference.rules.ts";
import { checked } from "./found.rules.ts";
import type { Reader } from "./reader.ts";

export interface ImportsContext extends DevicesContext {
  readonly siteId: string;
  readonly reader: Reader;
}

/**
 * What an import of this text would do, device by device. Nothing is done.
 *
 * @throws HubError INVALID_INPUT (text), NOT_FOUND (clusterId), TOO_MANY_REQUESTS
 */
export async function previewImport(context: ImportsContext, input: ImportPreviewInput): Promise<ImportPreview> {
  const target = targetOf(context, input);
  const { found, notes } = await context.reader.read(input);
  return { items: proposalsFor(found.map(checked), target).map(itemOf), notes: [...notes] };
}

/**
 * Does what a person chose of a preview, in one transaction: either all that can still be done as it was shown is done, or
 * nothing. What is done already counts as `unchanged`, so that the same call may come twice.
 *
 * @throws HubError INVALID_INPUT (text), NOT_FOUND (clusterId), TOO_MANY_REQUESTS
 */
export async function applyImport(context: ImportsContext, input: ImportInput, now: Date): Promise<ImportResult> {
  const { found } = await context.reader.read(input);
  const devices = found.map(checked);
  return await changeMembers(context, async (em) => {
    // in turn with every other change of devices, so what is compared here is what is changed below
    const byMac = proposalsByMac(proposalsFor(devices, targetOf(context, input)));
    const chosen = [...new Map(input.chosen.map((each) => [each.mac, each])).values()];
    const choices = chosen.map(({ mac, version }) => ({ mac, version, proposal: byMac.get(mac) }));
    const wanted = choices.flatMap(({ version, proposal }) => (isAsShown(proposal, version) ? [proposal] : []));
    const saved = await saveDevices(em, context, manyOf(wanted), now);
    const rows = new Map([...saved.created, ...saved.changed].map((row) => [row.mac, refOf(row)]));
    const events = wanted.map((proposal) => eventOf(proposal, input.format, rows));
    const items = choices.map(({ mac, version, proposal }) => ({
      mac,
      ...outcomeOf(proposal, version),
      ...(rows.has(mac) && { device: rows.get(mac) ?? null }),
    }));
    const touched = { devices: [...saved.created, ...saved.changed], dropped: saved.dropped };
    return { result: { items }, touched, event: events };
  });
}

type Doable = Extract<Proposal, { readonly action: "create" | "change" }>;

function targetOf({ directory, siteId, actor }: ImportsContext, { clusterId = null }: ImportPreviewInput): Target {
  const cluster = clusterId === null ? undefined : directory.clusters.byId(clusterId);
  if (clusterId !== null && (cluster?.siteId !== siteId || cluster.unassigned))
    throw new HubError("NOT_FOUND", "There is no such cluster", { field: "clusterId" });
  return { directory, siteId, actor, clusterId };
}

function proposalsByMac(proposals: readonly Proposal[]): Map<string, Proposal> {
  const byMac = new Map<string, Proposal>();
  for (const proposal of proposals) {
    const mac = proposal.action === "impossible" ? proposal.mac : proposal.candidate.fields.mac;
    if (mac !== null && !byMac.has(mac)) byMac.set(mac, proposal);
  }
  return byMac;
}

function isAsShown(proposal: Proposal | undefined, version: string): proposal is Doable {
  return (proposal?.action === "create" || proposal?.action === "change") && proposal.version === version;
}

function manyOf(proposals: readonly Doable[]): ManyDevices {
  return {
    created: proposals.flatMap((proposal) => (proposal.action === "create" ? [proposal.input] : [])),
    changed: proposals.flatMap((proposal) =>
      proposal.action === "change" ? [{ id: proposal.device.id, change: proposal.change }] : [],
    ),
  };
}

function eventOf(
  proposal: Doable,
  imported: string,
  rows: ReadonlyMap<string, { readonly id: string; readonly key: string }>,
): TrailEvent {
  const { mac } = proposal.candidate.fields;
  const row = rows.get(mac);
  const target = { type: "device", id: row?.id ?? null, name: row?.key ?? null };
  if (proposal.action === "create") return { action: "device.create", target, details: { mac, imported } };
  return { action: "device.change", target, details: { fields: Object.keys(proposal.change), imported } };
}

const CONFLICT = "This is another change now than the one that was shown; look at the preview again.";

function outcomeOf(proposal: Proposal | undefined, version: string): Omit<ImportResult["items"][number], "mac"> {
  if (!proposal) return { outcome: "conflict", device: null, reason: "The text names no such device." };
  switch (proposal.action) {
    case "unchanged":
      return { outcome: "unchanged", device: refOf(proposal.device), reason: null };
    case "impossible":
      return { outcome: "impossible", device: null, reason: proposal.problem };
    case "create":
    case "change":
      if (!isAsShown(proposal, version)) return { outcome: "conflict", device: null, reason: CONFLICT };
      return { outcome: proposal.action === "create" ? "created" : "changed", device: null, reason: null };
  }
}
