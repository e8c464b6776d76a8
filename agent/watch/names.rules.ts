/** A device that gets a new address is found there after this long. */
const GOOD_FOR_MS = 30_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/**
 * How long the last answer to a name stands before it is looked up again: a name that nobody knows is looked up less and
 * less often, since each attempt may take the system many seconds.
 *
 * @param failures attempts in a row that found no address.
 * @param urgent somebody waits for this machine: one that starts announces its name when it is ready.
 */
export function answerStandsMs(failures: number, { urgent }: { readonly urgent: boolean }): number {
  if (failures === 0) return GOOD_FOR_MS;
  if (urgent) return FIRST_PAUSE_MS;
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
}
