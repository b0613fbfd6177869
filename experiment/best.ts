/** Which evaluation of a run was its best so far, and whether it is still getting better. @module */
import type { Best, SplitResult } from "./observer.ts";

/** What a run remembers of its evaluations; plain JSON, part of every checkpoint. */
export interface Evaluated {
  best: Best;
  /** Evaluations since then that were no better. */
  stale: number;
  /** Steps done at the last one. */
  last: number;
}

/** Whether one result is better than another: by `exact`, where that is equal by `reward`. Equal is not. */
export function isBetter(one: SplitResult, than: SplitResult): boolean {
  const differs = (["exact", "reward"] as const).find((key) =>
    known(one[key]) !== known(than[key])
  );
  return differs !== undefined && known(one[differs]) > known(than[differs]);
}

/** What could not be scored is below everything that could. */
const known = (value: number): number => Number.isNaN(value) ? -Infinity : value;

/** Takes in the held-out result after `step` steps. Of equal ones the earlier stays the best. */
export function follow(
  before: Evaluated | undefined,
  result: Best,
): Evaluated {
  const { step } = result;
  return before && !isBetter(result, before.best)
    ? { best: before.best, stale: before.stale + 1, last: step }
    : { best: result, stale: 0, last: step };
}
