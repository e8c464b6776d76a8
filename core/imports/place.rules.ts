import type { Directory, DirectoryAgent, DirectoryCluster } from "../members/directory.ts";
import type { AllFields, ImportedFields } from "./fields.rules.ts";

/** The cluster and the agents that a text names, as they are here. */
export interface Place {
  readonly clusterId: string | null;
  readonly agentIds: readonly string[];
  /** The two fields by the keys that they have here; left out where the text says nothing. */
  readonly said: Pick<ImportedFields, "cluster" | "agents">;
}

interface Site {
  readonly directory: Directory;
  readonly siteId: string;
  /** Where new devices go that name no cluster. */
  readonly clusterId: string | null;
  /** The device as it is; undefined for a new one. */
  readonly before: AllFields | undefined;
}

/** Both are named by their keys, or by their names where only one has it. A device's agents are in the device's cluster. */
export function placeOf(fields: ImportedFields, site: Site): Place | { readonly problem: string } {
  const { directory, siteId, before } = site;
  const clusters = [...directory.clusters].filter((each) => each.siteId === siteId && !each.unassigned);
  const chosen = site.clusterId === null ? undefined : clusters.find(({ id }) => id === site.clusterId);
  const wanted = fields.cluster === undefined ? (before ? before.cluster : (chosen?.key ?? null)) : fields.cluster;
  const cluster = wanted === null ? undefined : named(clusters, wanted);
  if (wanted !== null && !cluster) return { problem: `There is no cluster “${wanted}”.` };

  const agents: DirectoryAgent[] = [];
  const home = cluster?.id ?? directory.unassignedCluster(siteId).id;
  const ofSite = fields.agents?.length ? [...directory.agents].filter((each) => each.siteId === siteId) : [];
  for (const name of new Set(fields.agents)) {
    const agent = named(ofSite, name);
    if (!agent) return { problem: `There is no agent “${name}”.` };
    if (agent.clusterId !== home) return { problem: `The agent “${agent.name}” is not in the cluster of the device.` };
    if (!agents.includes(agent)) agents.push(agent);
  }
  return {
    clusterId: cluster?.id ?? null,
    agentIds: agents.map(({ id }) => id),
    said: {
      ...((fields.cluster !== undefined || (!before && cluster)) && { cluster: cluster?.key ?? null }),
      ...(fields.agents && { agents: agents.map(({ key }) => key) }),
    },
  };
}

function named<Row extends DirectoryCluster | DirectoryAgent>(rows: readonly Row[], name: string): Row | undefined {
  const byKey = rows.find(({ key }) => key === name);
  const byName = rows.filter((row) => row.name.toLowerCase() === name.toLowerCase());
  return byKey ?? (byName.length === 1 ? byName[0] : undefined);
}
