/**
 * The PPO loss and its three gradients. Schulman et al. 2017 (arXiv 1707.06347), equations 7 and 9,
 * with the value clip of OpenAI's implementation. Letters: l log-probability, l' the old one, v value,
 * v' the old one, A advantage, R return, H entropy, N tokens of the whole optimiser batch.
 *
 *   ratio  = exp(l - l')
 *   policy = 1/N sum max(-A ratio, -A clip(ratio, 1 - clipLow, 1 + clipHigh))
 *   value  = 1/N sum 1/2 max((v - R)^2, (clip(v, v' - valueClip, v' + valueClip) - R)^2)
 *   total  = policy + valueCoefficient * value - entropyCoefficient * 1/N sum H
 * @module
 */
import type { Numbers } from "./batch.ts";
import { clampLogRatio } from "./kl.ts";
import type { EvaluationGradient } from "./policy.ts";

/** What the loss reads, each (B, T). */
export interface PpoInputs {
  /** l, of the policy as it is now. */
  logprob: Numbers;
  /** H, likewise. */
  entropy: Numbers;
  /** v, likewise. */
  value: Numbers;
  /** l', of the policy that drew the tokens; the same numbers in every epoch. */
  oldLogprob: Numbers;
  /** v', likewise. */
  oldValue: Numbers;
  /** A */
  advantage: Numbers;
  /** R */
  returns: Numbers;
}

/** Constants of the loss. */
export interface PpoLossOptions {
  /** A ratio below 1 - clipLow is pushed down no more. */
  clipLow: number;
  /** A ratio above 1 + clipHigh is pushed up no more. */
  clipHigh: number;
  /** The value may leave its old estimate by this much before it stops being pushed. */
  valueClip: number;
  /** Weight of the value loss. */
  valueCoefficient: number;
  /** Loss lost per nat of entropy. */
  entropyCoefficient: number;
  /**
   * N: tokens that count in the whole optimiser batch, not in this piece of it. Pieces of any size
   * then add up to the same gradient.
   */
  tokens: number;
}

/** Sums over tokens; pieces of one optimiser batch are added up with `addSums`. */
export interface PpoSums {
  /** Tokens that count. */
  tokens: number;
  /** The larger of the two branches. */
  policyLoss: number;
  /** Half the larger squared error. */
  valueLoss: number;
  /** H */
  entropy: number;
  /** Clipping made the policy loss larger. */
  clipped: number;
  /** Clipping made the value loss larger. */
  valueClipped: number;
  /** (l - l')^2 / 2 */
  approxKl: number;
  /** l' - l */
  policyKl: number;
  /** exp(l - l') */
  ratio: number;
  /** Smallest ratio, not a sum. */
  ratioMin: number;
  /** Largest ratio, not a sum. */
  ratioMax: number;
  /** v */
  value: number;
  /** (v - R)^2 */
  valueError: number;
}

/** The sums of nothing. */
export function emptySums(): PpoSums {
  return {
    tokens: 0,
    policyLoss: 0,
    valueLoss: 0,
    entropy: 0,
    clipped: 0,
    valueClipped: 0,
    approxKl: 0,
    policyKl: 0,
    ratio: 0,
    ratioMin: Infinity,
    ratioMax: -Infinity,
    value: 0,
    valueError: 0,
  };
}

/** Sums of two pieces together. */
export function addSums(a: PpoSums, b: PpoSums): PpoSums {
  const out = { ...a };
  for (const name of Object.keys(a) as (keyof PpoSums)[]) out[name] = a[name] + b[name];
  out.ratioMin = Math.min(a.ratioMin, b.ratioMin);
  out.ratioMax = Math.max(a.ratioMax, b.ratioMax);
  return out;
}

/** True where every sum that a fault anywhere would reach is a finite number. */
export function sumsAreFinite(sums: PpoSums): boolean {
  // A log-ratio of infinity is held at the limit in the losses, but not in approxKl.
  const { policyLoss, valueLoss, entropy, approxKl } = sums;
  return Number.isFinite(policyLoss + valueLoss + entropy + approxKl);
}

/**
 * Sums of the loss over the tokens that count, and the gradient of `total`, 0 elsewhere. At a tie the
 * unclipped branch is taken, so a ratio of exactly 1 has the whole gradient -A / N. Where the
 * log-ratio is held at its limit, its gradient is 0.
 */
export function ppoLoss(
  mask: Uint8Array,
  { logprob, entropy, value, oldLogprob, oldValue, advantage, returns }: PpoInputs,
  { clipLow, clipHigh, valueClip, valueCoefficient, entropyCoefficient, tokens }: PpoLossOptions,
): { sums: PpoSums; gradient: EvaluationGradient } {
  const dlogprob = new Float32Array(mask.length);
  const dentropy = new Float32Array(mask.length);
  const dvalue = new Float32Array(mask.length);
  const sums = emptySums();
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const d = logprob[i] - oldLogprob[i], held = clampLogRatio(d), A = advantage[i];
    const ratio = Math.exp(held);
    const unclipped = -A * ratio;
    const clipped = -A * Math.min(1 + clipHigh, Math.max(1 - clipLow, ratio));
    const moves = held === d &&
      (A >= 0 ? ratio <= 1 + clipHigh : ratio >= 1 - clipLow);
    dlogprob[i] = moves ? unclipped / tokens : 0;

    const v = value[i], vOld = oldValue[i], R = returns[i];
    const vClipped = Math.min(vOld + valueClip, Math.max(vOld - valueClip, v));
    const error = (v - R) ** 2, clippedError = (vClipped - R) ** 2;
    const follows = vClipped === v || error >= clippedError;
    dvalue[i] = follows ? valueCoefficient * (v - R) / tokens : 0;

    dentropy[i] = -entropyCoefficient / tokens;

    sums.tokens++;
    sums.policyLoss += Math.max(unclipped, clipped);
    sums.valueLoss += Math.max(error, clippedError) / 2;
    sums.entropy += entropy[i];
    sums.clipped += clipped > unclipped ? 1 : 0;
    sums.valueClipped += clippedError > error ? 1 : 0;
    sums.approxKl += d * d / 2;
    sums.policyKl -= d;
    sums.ratio += ratio;
    sums.ratioMin = Math.min(sums.ratioMin, ratio);
    sums.ratioMax = Math.max(sums.ratioMax, ratio);
    sums.value += v;
    sums.valueError += error;
  }
  return { sums, gradient: { dlogprob, dentropy, dvalue } };
}

/** Means over tokens, and the losses, of one optimiser batch. */
export type PpoMeans = Omit<PpoSums, "tokens"> & { totalLoss: number };

/** Turns the sums of a whole optimiser batch into means. */
export function ppoMeans(
  { tokens, ratioMin, ratioMax, ...sums }: PpoSums,
  { valueCoefficient, entropyCoefficient }: {
    valueCoefficient: number;
    entropyCoefficient: number;
  },
): PpoMeans {
  const means = { ...sums };
  for (const name of Object.keys(means) as (keyof typeof means)[]) means[name] /= tokens;
  const totalLoss = means.policyLoss + valueCoefficient * means.valueLoss -
    entropyCoefficient * means.entropy;
  return { ...means, ratioMin, ratioMax, totalLoss };
}
