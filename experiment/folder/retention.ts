/** Which checkpoints of a run are kept. @module */

const KEPT = 3;

/**
 * The steps to keep of those that are there: that of the `newest` work, whatever its number, the two
 * highest others, and that of the `best` answers beside them. Of the two the lower one gives way to the last that is not beyond `good`, where a run went
 * astray after that step, so that there is always one to go back to.
 */
export function keptSteps(
  there: readonly number[],
  { newest, good = Infinity, best }: { newest: number; good?: number; best?: number },
): number[] {
  const kept = lastSteps(there, { newest, good });
  return best === undefined || kept.includes(best) || !there.includes(best)
    ? kept
    : [best, ...kept];
}

function lastSteps(
  there: readonly number[],
  { newest, good }: { newest: number; good: number },
): number[] {
  const others = there.filter((step) => step !== newest).sort((a, b) => a - b);
  const kept = [...others.slice(-(KEPT - 1)), newest];
  const refuge = there.filter((step) => step <= good).reduce((a, b) => Math.max(a, b), -1);
  if (refuge < 0 || kept.includes(refuge)) return kept;
  return [refuge, ...kept.slice(-(KEPT - 1))];
}
