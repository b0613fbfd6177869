/**
 * Scores over the spread of all scores that a run has seen, so that the size of a reward does not set the
 * size of the update: `use_score_scaling` and `use_score_norm` of TRL 0.11. What happens to a score, in
 * this order:
 *
 *   1. it is counted among those seen, with all others of the step that were drawn (greedy ones are not)
 *   2. running-mean-std: less their mean
 *   3. both: over their sample standard deviation + 2^-23; over nothing while all seen are equal
 *   4. it is clamped to `scoreClip`
 *
 * Penalties (KL, length) are taken off after that; what a reward reports of itself is as it gave it. Where
 * several rewards are compared one by one, this concerns what is reported as `score/mean` alone.
 * @module
 */
import type { OptionRows, OptionValues } from "../base/options.ts";
import { clampScores, type Scores } from "./scores.ts";
import { momentsOf } from "./stats.ts";

const SUMMED = { rewardAggregation: { not: "normalise-then-sum" } }; // else each reward's groups scale it

/** Rows of what becomes of a score before it is learned from. */
// deno-fmt-ignore
export const SCORE_ROWS = {
  scoreScaling: { kind: "choice", choices: ["off", "running-std", "running-mean-std"], default: "off", only: SUMMED, doc: "scores are divided by the standard deviation of all scores that the run has seen; running-mean-std: after their mean is taken off", group: "Rewards and advantages" },
  scoreClip: { kind: "number", default: 0, min: 0, unit: "reward", usual: "0, 1 to 10", only: SUMMED, doc: "scores are clamped to this distance from 0, after scoreScaling; 0 is off", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of it. */
export type ScoreConfig = OptionValues<typeof SCORE_ROWS>;

/** What is known of all scores seen; plain JSON. */
export interface ScoreMoments {
  /** Scores seen, those without one left out. */
  count: number;
  mean: number;
  /** Sum of the squared differences from the mean. */
  squares: number;
}

/** Before the first score. */
export const NO_SCORES: Readonly<ScoreMoments> = { count: 0, mean: 0, squares: 0 };

const EPSILON = 2 ** -23; // of float32, as in TRL

/**
 * The moments with these scores among those seen; null is none. The two parts' moments are put together
 * (Chan, Golub and LeVeque 1979), each of them taken in two passes, so that equal scores leave the sum
 * of squares exactly 0.
 */
export function addScores(seen: Readonly<ScoreMoments>, scores: Readonly<Scores>): ScoreMoments {
  const values = scores.filter((score) => score !== null).map(Math.fround), n = values.length;
  if (n === 0) return { ...seen };
  const { mean, squares } = momentsOf(values);
  const count = seen.count + n, delta = mean - seen.mean;
  return {
    count,
    mean: seen.mean + delta * n / count,
    squares: seen.squares + squares + delta ** 2 * seen.count * n / count,
  };
}

/** (B) Scores as they are learned from; 0 where there is none. */
export function prepareScores(
  scores: Readonly<Scores>,
  { scoreScaling, scoreClip }: ScoreConfig,
  seen: Readonly<ScoreMoments>,
): Float32Array {
  if (scoreScaling === "off") return clampScores(scores, scoreClip);
  const { count, mean, squares } = seen;
  const centre = scoreScaling === "running-mean-std" ? mean : 0;
  const scale = squares > 0 ? Math.sqrt(squares / (count - 1)) + EPSILON : 1;
  return clampScores(
    scores.map((score) => score === null ? null : (Math.fround(score) - centre) / scale),
    scoreClip,
  );
}

/** What a saved state says of the scores seen. @throws {TypeError} for what is no `ScoreMoments` */
export function readMoments(saved: unknown): ScoreMoments {
  const { count, mean, squares } = (saved ?? {}) as Readonly<Record<string, unknown>>;
  const fields = { count, mean, squares };
  for (const [name, value] of Object.entries(fields)) {
    const isLeast = name === "mean" || typeof value === "number" && value >= 0;
    if (Number.isFinite(value) && isLeast && (name !== "count" || Number.isInteger(value))) {
      continue;
    }
    throw new TypeError(
      `Cannot restore the trainer as scoreScaling needs the ${name} of the scores seen, ` +
        `${
          name === "count" ? "a whole number >= 0" : name === "mean" ? "a number" : "a number >= 0"
        }` +
        `: it is ${value}`,
    );
  }
  return fields as ScoreMoments;
}
