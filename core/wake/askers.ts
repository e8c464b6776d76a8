import type { Asker } from "./running-wake.ts";

/** So many may wait for the results of one wake or power-off. */
const MAX_ASKERS = 100;

/** One more who wants to hear the results, unless that one does already; false when there are too many. */
export function addAsker(askers: Asker[], asker: Asker): boolean {
  const isKnown = askers.some(
    ({ by, transaction, response }) =>
      by === asker.by && transaction === asker.transaction && response?.topic === asker.response?.topic,
  );
  if (isKnown) return true;
  if (askers.length >= MAX_ASKERS) return false;
  askers.push(asker);
  return true;
}
