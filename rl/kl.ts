/**
 * How far the policy has moved from its reference, and how hard that is punished.
 * Estimators: Schulman, "Approximating KL Divergence" (joschu.net/blog/kl-approx.html).
 * @module
 */
import type { Numbers } from "./batch.ts";

/** Log-ratios are clamped to this many nats of 0 before `exp`: e^20 is 5e8, still a finite f32. */
export const LOG_RATIO_LIMIT = 20;

/** d clamped to `LOG_RATIO_LIMIT`; NaN stays NaN, so that a fault is seen and not hidden. */
export function clampLogRatio(d: number): number {
  return d > LOG_RATIO_LIMIT ? LOG_RATIO_LIMIT : d < -LOG_RATIO_LIMIT ? -LOG_RATIO_LIMIT : d;
}

/** Choices of the value. */
export const KL_ESTIMATORS = ["k1", "k2", "k3", "full"] as const;

/**
 * With d = log pi - log ref of the token: k1 = d, k2 = d^2 / 2, k3 = exp(-d) - 1 + d. `full` is no estimate but
 * the sum of pi (log pi - log ref) over the vocabulary, which an evaluation must be asked for.
 */
export type KlEstimator = typeof KL_ESTIMATORS[number];

/** One estimate, nats, from d = log pi(token) - log ref(token). */
export function klEstimate(d: number, estimator: Exclude<KlEstimator, "full">): number {
  const c = clampLogRatio(d);
  switch (estimator) {
    case "k1":
      return c;
    case "k2":
      return c * c / 2;
    case "k3":
      return Math.expm1(-c) + c;
  }
}

/** KL(policy || reference), nats per token, (B, T); 0 outside the mask. */
export function tokenKl(
  mask: Uint8Array,
  { logprob, kl: full, reference, estimator }: {
    logprob: Numbers;
    /** Exact; needed where the estimator is `full`. */
    kl?: Numbers;
    reference: Numbers;
    estimator: KlEstimator;
  },
): Float32Array {
  const kl = new Float32Array(mask.length);
  for (let i = 0; i < kl.length; i++) {
    if (!mask[i]) continue;
    kl[i] = estimator === "full" ? full![i] : klEstimate(logprob[i] - reference[i], estimator);
  }
  return kl;
}

/**
 * The coefficient after an update, proportional form: it grows by at most 20 % * episodes / horizon
 * where KL is above target, and shrinks likewise below. It never changes sign, nor leaves 0.
 * Ziegler et al. 2019 (arXiv 1909.08593), section 2.2.
 */
export function adaptKlCoefficient(
  coefficient: number,
  { kl, target, horizon, episodes }: {
    /** Mean KL, nats per sequence or per token. */
    kl: number;
    /** Wanted value of `kl`, in its unit. */
    target: number;
    /** Episodes over which the coefficient may move by about its own size. */
    horizon: number;
    /** Sequences in this update. */
    episodes: number;
  },
): number {
  const error = Math.min(0.2, Math.max(-0.2, kl / target - 1));
  return coefficient * (1 + error * episodes / horizon);
}

/**
 * The coefficient after an update, stepwise form: times `factor` where KL is above band * target, divided
 * by it below target / band, and otherwise as it was. Schulman et al. 2017 (arXiv 1707.06347), section 4,
 * with the band 1.5 and the factor 2; PGSRM (arXiv 2512.06920) has 1.5 for both. Nothing here bounds it:
 * while KL is small, it is divided again and again.
 */
export function stepKlCoefficient(
  coefficient: number,
  { kl, target, band, factor }: {
    /** Mean KL, nats per sequence or per token. */
    kl: number;
    /** Wanted value of `kl`, in its unit; > 0. */
    target: number;
    /** >= 1 */
    band: number;
    /** > 1 */
    factor: number;
  },
): number {
  if (kl > band * target) return coefficient * factor;
  return kl < target / band ? coefficient / factor : coefficient;
}
