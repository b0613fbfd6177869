/**
 * The clipped surrogate of one token: Schulman et al. 2017 (arXiv 1707.06347), equation 7, with a clip
 * range that may differ below and above 1.
 * @module
 */
import { clampLogRatio } from "../kl.ts";

/** How far from 1 a ratio may move before it stops being pushed. */
export interface ClipRange {
  /** The lower end is 1 - clipLow. */
  clipLow: number;
  /** The upper end is 1 + clipHigh. */
  clipHigh: number;
}

/** Loss and gradient of one token. */
export interface ClippedLoss {
  /** The larger of -A ratio and -A clip(ratio). */
  loss: number;
  /** d loss / d logprob. */
  gradient: number;
  /** True where clipping made the loss larger. */
  clipped: boolean;
}

/**
 * With ratio = exp(logprob - oldLogprob) and advantage A:
 *   loss = max(-A ratio, -A clip(ratio, 1 - clipLow, 1 + clipHigh))
 * At a tie the unclipped branch is taken, so that a ratio of exactly 1 has the whole gradient -A. Where
 * the log-ratio is clamped at its limit, its gradient is 0.
 */
export function clippedLoss(
  { logRatio, advantage: A }: { logRatio: number; advantage: number },
  { clipLow, clipHigh }: ClipRange,
): ClippedLoss {
  const clamped = clampLogRatio(logRatio), ratio = Math.exp(clamped);
  const unclippedLoss = -A * ratio;
  const clippedLoss = -A * Math.min(1 + clipHigh, Math.max(1 - clipLow, ratio));
  const moves = clamped === logRatio && (A >= 0 ? ratio <= 1 + clipHigh : ratio >= 1 - clipLow);
  return {
    loss: Math.max(unclippedLoss, clippedLoss),
    gradient: moves ? unclippedLoss : 0,
    clipped: clippedLoss > unclippedLoss,
  };
}
