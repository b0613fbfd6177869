/**
 * The clipped surrogate: Schulman et al. 2017 (arXiv 1707.06347), equation 7, with a clip range that may
 * differ below and above 1 (DAPO, Yu et al. 2025, arXiv 2503.14476, "clip-higher") and a bound on what
 * a negative advantage can push ("dual clip", Ye et al. 2020, arXiv 1912.09729, equation 5; two-sided
 * clipping in TRL, where it is called delta).
 * @module
 */
import type { OptionRows, OptionValue, OptionValues } from "../../base/options.ts";
import { clampLogRatio } from "../kl.ts";

/** Rows of the clip range. */
// deno-fmt-ignore
export const CLIP_ROWS = {
  clipLow: { kind: "number", default: 0.2, min: 0, max: 1, usual: "0.1 to 0.3", doc: "lower clip range of the ratio: 1 - clipLow", group: "Loss" },
  clipHigh: { kind: "number", default: 0.2, min: 0, usual: "0.1 to 0.3", doc: "upper clip range of the ratio: 1 + clipHigh", group: "Loss" },
  ratioCap: { kind: "number", default: 0, min: 0, usual: "0, 3 to 10", check: (cap: OptionValue): string | undefined => cap === 0 || Number(cap) > 1 ? undefined : "0, or above 1", doc: "largest ratio that counts where the advantage is negative; 0 is off", group: "Loss" },
} as const satisfies OptionRows;

/** How far from 1 a ratio may move before it stops being pushed; a cap of 0, or none, is off. */
export type ClipRange = Partial<OptionValues<typeof CLIP_ROWS>> & {
  clipLow: number;
  clipHigh: number;
};

/** Loss and gradient of one token, or of one response with a ratio of its own. */
export interface RatioLoss {
  loss: number;
  /** d loss / d log-ratio. */
  gradient: number;
  /** True where clipping made the loss larger. */
  clipped: boolean;
}

/**
 * With ratio = exp(logprob - oldLogprob) and advantage A:
 *   loss = max(-A min(ratio, ratioCap), -A clip(ratio, 1 - clipLow, 1 + clipHigh))
 * At a tie the unclipped branch is taken, so that a ratio of exactly 1 has the whole gradient -A. Where
 * the log-ratio is clamped at its limit, or the ratio is capped, its gradient is 0. The cap lies above the
 * clip range, so that it is felt only where A < 0.
 */
export function clippedLoss(
  { logRatio, advantage: A }: { logRatio: number; advantage: number },
  { clipLow, clipHigh, ratioCap = 0 }: ClipRange,
): RatioLoss {
  const clamped = clampLogRatio(logRatio), ratio = Math.exp(clamped);
  const cap = ratioCap > 0 ? Math.max(ratioCap, 1 + clipHigh) : Infinity;
  const unclippedLoss = -A * Math.min(ratio, cap);
  const clippedLoss = -A * Math.min(1 + clipHigh, Math.max(1 - clipLow, ratio));
  const moves = clamped === logRatio && ratio <= cap &&
    (A >= 0 ? ratio <= 1 + clipHigh : ratio >= 1 - clipLow);
  return {
    loss: Math.max(unclippedLoss, clippedLoss),
    gradient: moves ? unclippedLoss : 0,
    clipped: clippedLoss > unclippedLoss || ratio > cap && A < 0,
  };
}
