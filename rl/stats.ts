/**
 * Mean, variance and whitening over the slots that a mask allows. What lies in the other slots,
 * NaN included, has no influence: they are skipped, not multiplied by zero.
 * @module
 */
import { lastToken, type Numbers, type ResponseGrid } from "./batch.ts";

/** "sample" divides by N - 1 (TRL, verl), "population" by N (OpenAI 2019, OpenRLHF). */
export type Variance = "sample" | "population";

/** Mean of the slots where the mask is 1; NaN where there are none. */
export function maskedMean(x: Numbers, mask: Uint8Array): number {
  let sum = 0, count = 0;
  for (let i = 0; i < x.length; i++) {
    if (!mask[i]) continue;
    sum += x[i];
    count++;
  }
  return sum / count;
}

/**
 * Variance of the slots where the mask is 1; NaN where there are none. One value alone does not
 * vary: its variance is 0 in both conventions, not 0/0.
 */
export function maskedVariance(x: Numbers, mask: Uint8Array, variance: Variance): number {
  const mean = maskedMean(x, mask);
  let sum = 0, count = 0;
  for (let i = 0; i < x.length; i++) {
    if (!mask[i]) continue;
    sum += (x[i] - mean) ** 2;
    count++;
  }
  return sum / (variance === "sample" && count > 1 ? count - 1 : count);
}

/** How to whiten. */
export interface WhitenOptions {
  /** By N - 1 or by N. */
  variance: Variance;
  /** False keeps the mean: only the spread becomes 1. Rewards are whitened so. */
  shiftMean: boolean;
}

/**
 * (x - mean) / sqrt(variance + 1e-8), plus the mean again unless it is to be shifted away; slots
 * outside the mask become 0. Values that are all alike become 0 (or their mean), never NaN.
 */
export function whiten(
  x: Numbers,
  mask: Uint8Array,
  { variance, shiftMean }: WhitenOptions,
): Float32Array {
  const mean = maskedMean(x, mask);
  const scale = 1 / Math.sqrt(maskedVariance(x, mask, variance) + 1e-8);
  const out = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    if (mask[i]) out[i] = (x[i] - mean) * scale + (shiftMean ? 0 : mean);
  }
  return out;
}

/** Mean and sample standard deviation of a plain list; NaN for an empty one, std 0 for one number. */
export function meanAndStd(x: Numbers): { mean: number; std: number } {
  const all = new Uint8Array(x.length).fill(1);
  return { mean: maskedMean(x, all), std: Math.sqrt(maskedVariance(x, all, "sample")) };
}

/** Mean of a plain list; NaN for an empty one. */
export const mean = (x: Numbers): number => maskedMean(x, new Uint8Array(x.length).fill(1));

/**
 * Mean and sum of the squared differences from it, in two passes; NaN and 0 for an empty list. Values that
 * are all the `same` are compared, not averaged: their mean is exact and the sum exactly 0.
 */
export function momentsOf(
  values: readonly number[],
): { mean: number; squares: number; same: boolean } {
  const same = values.every((value) => value === values[0]);
  const mean = same
    ? values[0] ?? NaN
    : values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, squares, same };
}

/** Sum over each row that counts, then the mean of these sums; `x` is (B, T) of the grid. */
export function meanRowSum(x: Numbers, grid: ResponseGrid): number {
  const { B, T, mask } = grid;
  let sum = 0, rows = 0;
  for (let b = 0; b < B; b++) {
    if (lastToken(grid, b) < 0) continue;
    rows++;
    for (let i = b * T; i < (b + 1) * T; i++) if (mask[i]) sum += x[i];
  }
  return sum / rows;
}
