/**
 * Clipped importance weights: the ratio is a constant that scales the policy gradient, so that no token's
 * gradient is ever lost to clipping. CISPO: MiniMax-M1 (2025), arXiv 2506.13585, equation 4. Two readings
 * of it share the name: TRL bounds the weight by one absolute number (ScaleRL, arXiv 2510.13786, takes
 * 5), verl from both sides relative to 1.
 * @module
 */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { clampLogRatio } from "../kl.ts";

/** Rows of the weight's bounds. */
// deno-fmt-ignore
export const WEIGHT_ROWS = {
  weightClip: { kind: "choice", choices: ["absolute", "two-sided"], default: "absolute", doc: "bounds of the importance weight: at most weightCap, or 1 - clipLow to 1 + clipHigh", group: "Loss" },
  weightCap: { kind: "number", default: 5, min: 0, above: true, usual: "2 to 5", only: { weightClip: "absolute" }, doc: "absolute: largest weight; below 1 it also shrinks the first update", group: "Loss" },
  clipLow: { kind: "number", default: 0.2, min: 0, max: 1, usual: "0.1 to 0.3", only: { weightClip: "two-sided" }, doc: "two-sided: least weight is 1 - clipLow", group: "Loss" },
  clipHigh: { kind: "number", default: 0.2, min: 0, usual: "0.1 to 0.3", only: { weightClip: "two-sided" }, doc: "two-sided: largest weight is 1 + clipHigh", group: "Loss" },
} as const satisfies OptionRows;

/** Settings of the weight's bounds. */
export type WeightConfig = OptionValues<typeof WEIGHT_ROWS>;

/** With w the bounded ratio, a constant: loss = -w A l, whose gradient is -w A. */
export function clippedWeightLoss(
  { logprob, logRatio, advantage: A }: { logprob: number; logRatio: number; advantage: number },
  { weightClip, weightCap, clipLow, clipHigh }: WeightConfig,
): { loss: number; gradient: number; clipped: boolean } {
  const ratio = Math.exp(clampLogRatio(logRatio));
  const weight = weightClip === "absolute"
    ? Math.min(ratio, weightCap)
    : Math.min(1 + clipHigh, Math.max(1 - clipLow, ratio));
  return { loss: -weight * A * logprob, gradient: -weight * A, clipped: weight !== ratio };
}
