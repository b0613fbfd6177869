/** What a score function must give, and what of it is learned from. @module */
import { described } from "../base/excerpt.ts";
import type { Rollout } from "./policy.ts";

/** One number a response, null where it could not be scored. */
export type Scores = (number | null)[];

/**
 * Scores every response of a rollout. What it is told besides: whether the completions were drawn, or are
 * the most probable ones, which some algorithms compare with (`Needs.greedyBaseline`).
 */
export type ScoreFunction = (rollout: Rollout, draw: "sampled" | "greedy") => Promise<Scores>;

/**
 * What a score function gave for B responses, if it is what it must be. NaN and infinities are refused, as
 * a response that cannot be scored has null: which of its numbers is wrong, only the function knows.
 * @throws {TypeError} for what is not an array of numbers and nulls
 * @throws {RangeError} for more or fewer scores than responses, or one that is not finite in 32 bits
 */
export function checkScores(given: unknown, B: number): Scores {
  if (!Array.isArray(given)) {
    throw new TypeError(
      `Cannot learn from a rollout as its score function must give an array, one score for each of ` +
        `${B} responses: it gave ${described(given)}`,
    );
  }
  if (given.length !== B) {
    throw new RangeError(
      `Cannot learn from a rollout as each of its ${B} responses needs one score: there are ${given.length}`,
    );
  }
  for (let b = 0; b < B; b++) {
    const score = given[b], rule = `Cannot learn from response ${b} as its score must be`;
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
