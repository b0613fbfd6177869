/**
 * A trust region in probability, not in ratio: DPPO with total variation (2026), arXiv 2602.04879. A rare
 * token whose ratio is large but whose probability hardly moved goes on learning.
 * @module
 */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { clampLogRatio } from "../kl.ts";

/** Rows of the region. */
// deno-fmt-ignore
export const STEP_ROWS = {
  stepDown: { kind: "number", default: 0.2, min: 0, max: 1, unit: "probability", usual: "0.1 to 0.3", doc: "farthest fall of a token's probability that still learns", group: "Loss" },
  stepUp: { kind: "number", default: 0.2, min: 0, max: 1, unit: "probability", usual: "0.1 to 0.3", doc: "farthest rise that still learns", group: "Loss" },
} as const satisfies OptionRows;

const LARGEST_WEIGHT = 20;

/**
 * With p = exp(logprob), p' = exp(oldLogprob) and w = min(p / p', 20), a constant:
 *   loss = -w A l, gradient -w A, where p - p' <= stepUp (A > 0) or p - p' >= -stepDown (A <= 0); else 0
 */
export function probabilityStepLoss(
  { logprob, oldLogprob, logRatio, advantage: A }: {
    logprob: number;
    oldLogprob: number;
    logRatio: number;
    advantage: number;
  },
  { stepDown, stepUp }: OptionValues<typeof STEP_ROWS>,
): { loss: number; gradient: number; clipped: boolean } {
  const moved = Math.exp(logprob) - Math.exp(oldLogprob);
  const learns = A > 0 ? moved <= stepUp : moved >= -stepDown;
  const weight = learns ? Math.min(Math.exp(clampLogRatio(logRatio)), LARGEST_WEIGHT) : 0;
  return { loss: -weight * A * logprob, gradient: -weight * A, clipped: !learns };
}
