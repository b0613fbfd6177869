/** What a score function must give, and what of it is learned from. @module */
import { described } from "../base/excerpt.ts";
import type { RewardColumn } from "./algorithm.ts";
import type { Rollout } from "./policy.ts";

/** One number a response, null where it could not be scored. */
export type Scores = (number | null)[];

/** What several rewards give B responses, as `CombinedReward.breakdown` has it. */
export interface ScoreBreakdown {
  /** (B) Their weighted sum; null where there is none: such a response is not learned from. */
  total: Readonly<Scores>;
  /** (B) each: what each reward gave, by its name, before its weight. */
  scores: Readonly<Record<string, Readonly<Scores>>>;
  /** What each reward counts for, by the same names. 0: it is measured alone. */
  weights: Readonly<Record<string, number>>;
}

/**
 * Scores every response of a rollout, by one number each or by that of each of several rewards. What it is
 * told besides: whether the completions were drawn, or are the most probable ones, which some algorithms
 * compare with (`Needs.greedyBaseline`).
 */
export type ScoreFunction = (
  rollout: Rollout,
  draw: "sampled" | "greedy",
) => Promise<Scores | ScoreBreakdown>;

/** What one reward gave, and what it counts for. */
export interface ScoreColumn {
  name: string;
  /** Not 0. */
  weight: number;
  /** (B) Before the weight. */
  scores: Readonly<Scores>;
}

/** What a score function gave B responses, checked. */
export interface CheckedScores {
  /** (B) The numbers, or the sum of several rewards. */
  scores: Scores;
  /** The rewards that are learned from; the numbers alone are one, called `score`. */
  columns: readonly ScoreColumn[];
}

/**
 * What a score function gave for B responses, if it is what it must be. NaN and infinities are refused, as
 * a response that cannot be scored has null: which of its numbers is wrong, only the function knows.
 * @throws {TypeError} for what is neither an array of numbers and nulls nor a `ScoreBreakdown`
 * @throws {RangeError} for more or fewer scores than responses, one that is not finite in 32 bits, or
 * weights that are not finite or all 0
 */
export function checkScores(given: unknown, B: number): CheckedScores {
  if (isBreakdown(given)) return checkBreakdown(given, B);
  if (!Array.isArray(given)) {
    throw new TypeError(
      `Cannot learn from a rollout as its score function must give an array, one score for each of ` +
        `${B} responses, or { total, scores, weights } of several rewards: it gave ${
          described(given)
        }`,
    );
  }
  const scores = checkColumn(given, B);
  return { scores, columns: [{ name: "score", weight: 1, scores }] };
}

const isBreakdown = (given: unknown): given is Record<keyof ScoreBreakdown, unknown> =>
  typeof given === "object" && given !== null &&
  ["total", "scores", "weights"].every((part) => part in given);

function checkBreakdown(
  { total, scores, weights }: Record<keyof ScoreBreakdown, unknown>,
  B: number,
): CheckedScores {
  const of: Record<string, unknown> = { ...scores as object };
  const weightOf: Record<string, unknown> = { ...weights as object };
  const columns = Object.entries(weightOf).map(([name, weight]): ScoreColumn => {
    if (!Object.hasOwn(of, name)) {
      throw new TypeError(
        `Cannot learn from a rollout as each weight is that of a reward: ${name} has no scores`,
      );
    }
    if (typeof weight !== "number" || !Number.isFinite(weight)) {
      throw new RangeError(
        `Cannot learn from a rollout as weights are finite: that of ${name} is ${
          described(weight)
        }`,
      );
    }
    return { name, weight, scores: checkColumn(of[name], B, name) };
  });
  const without = Object.keys(of).find((name) => !Object.hasOwn(weightOf, name));
  if (without !== undefined) {
    throw new TypeError(
      `Cannot learn from a rollout as each reward has a weight: ${without} has none`,
    );
  }
  const learned = columns.filter(({ weight }) => weight !== 0);
  if (learned.length === 0) {
    throw new RangeError(
      `Cannot learn from a rollout as a reward must have a weight that is not 0: of ${columns.length} ` +
        "none has",
    );
  }
  return { scores: checkColumn(total, B, "the total"), columns: learned };
}

/** One number or null a response. */
function checkColumn(given: unknown, B: number, name?: string): Scores {
  const of = name === undefined ? "" : ` by ${name}`;
  if (!Array.isArray(given)) {
    throw new TypeError(
      `Cannot learn from a rollout as scores are arrays: those${of} are ${described(given)}`,
    );
  }
  if (given.length !== B) {
    throw new RangeError(
      `Cannot learn from a rollout as each of its ${B} responses needs one score${of}: there are ` +
        `${given.length}`,
    );
  }
  for (let b = 0; b < B; b++) {
    const score = given[b], rule = `Cannot learn from response ${b} as its score${of} must be`;
    if (score === null) continue;
    if (typeof score !== "number") {
      throw new TypeError(
        `${rule} a number, or null for "cannot score": it is ${described(score)}`,
      );
    }
    if (!Number.isFinite(Math.fround(score))) {
      throw new RangeError(`${rule} finite in 32 bits, or null for "cannot score": it is ${score}`);
    }
  }
  return given;
}

/** (B) clamped to `limit` from 0, which 0 switches off; 0 where there is no score. */
export function clampScores(scores: Readonly<Scores>, limit: number): Float32Array {
  const most = limit === 0 ? Infinity : limit;
  return Float32Array.from(scores, (score) => Math.min(most, Math.max(-most, score ?? 0)));
}

/** The columns of a rollout of which the rows without `scored` do not count. */
export const rewardColumns = (
  columns: readonly ScoreColumn[],
  scored: readonly boolean[],
): RewardColumn[] =>
  columns.map(({ name, weight, scores }) => ({
    ...{ name, weight },
    score: Float32Array.from(scores, (score) => score ?? 0),
    scored: scores.map((score, b) => score !== null && scored[b]),
  }));
