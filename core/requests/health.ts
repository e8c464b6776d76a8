import { Key } from "#contracts/key.ts";
import type { HubInfo } from "#contracts/power.ts";
import type { HubHealth } from "#contracts/request.ts";
import type { Now } from "../live/now.ts";
import type { Directory } from "../members/directory.ts";
import type { Rights } from "./rights.ts";

export interface HealthParts {
  readonly directory: Directory;
  readonly now: Now;
  readonly hubInfo: () => HubInfo;
  readonly broker: () => HubHealth["broker"];
}

/** A large hub may have many; an answer stays readable. */
const MAX_PROBLEMS = 100;

/** How the hub is, and what is wrong with the clusters that the asker may see. */
export function health({ directory, now, hubInfo, broker }: HealthParts, rights: Rights): HubHealth {
  const hub = hubInfo();
  const problems: HubHealth["problems"] = [];
  const say = (cluster: Key | null, problem: string) => void problems.push({ cluster, problem });
  if (hub.database !== "ok") say(null, "The database does not answer; waking still works");
  if (hub.audit !== "ok") say(null, "The audit log cannot be written, so changes are refused");
  const agents = { total: 0, online: 0 };
  for (const cluster of directory.clusters) {
    if (!rights.reaches(cluster)) continue;
    const of = now.cluster(cluster);
    agents.total += of.agents.total;
    agents.online += of.agents.online;
    for (const problem of rights.sees("cluster") ? of.problems : []) say(Key.parse(cluster.key), problem);
  }
  return { hub, broker: broker(), agents, problems: problems.slice(0, MAX_PROBLEMS) };
}
