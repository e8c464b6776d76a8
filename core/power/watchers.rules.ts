/** A device is watched by so many agents at once; more would only repeat each other. */
const WATCHERS = 3;

/**
 * Which agents watch a device: its own agents, those online first, in an order that differs from device to device
 * but not from time to time, so that a large cluster spreads its devices over its agents.
 */
export function watchersOf(
  deviceId: string,
  agents: readonly { readonly id: string; readonly online: boolean }[],
): string[] {
  if (agents.length < 2) return agents.map(({ id }) => id);
  return agents
    .map(({ id, online }) => ({ id, online, weight: weightOf(`${deviceId}${id}`) }))
    .sort((a, b) => Number(b.online) - Number(a.online) || b.weight - a.weight)
    .slice(0, WATCHERS)
    .map(({ id }) => id);
}

/** FNV-1a: spreads well, and is the same on every machine. */
function weightOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
