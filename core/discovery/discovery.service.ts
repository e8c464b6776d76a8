import type { DiscoveryRef } from "#contracts/discovery.ts";
import { changeAgent } from "../agents/agents.service.ts";
import { changeCluster } from "../clusters/clusters.service.ts";
import { changeDevice } from "../devices/devices.service.ts";
import type { MembersContext } from "../members/members.service.ts";
import type { OwnersContext } from "../members/owners.service.ts";

import { type SchedulesContext, changeSchedule } from "../schedules/schedules.service.ts";

/**
 * Notes down that Home Assistant shows a thing no more, as a person there wished; its page offers to show it again.
 *
 * The hub itself has no such switch: its config comes back when it is asked for.
 *
 * @throws HubError NOT_FOUND
 */
export async function hideFromHomeAssistant(
  context: MembersContext & OwnersContext & SchedulesContext,
  { type, id }: DiscoveryRef,
  now: Date,
): Promise<void> {
  const change = { showInHomeAssistant: false };
  switch (type) {
    case "device":
      return void (await changeDevice(context, id, change, now));
    case "cluster":
      return void (await changeCluster(context, id, change, now));
    case "agent":
      return void (await changeAgent(context, id, change, now));
    case "schedule":
      return await changeSchedule(context, id, change, now);
    case "hub":
  }
}
