/**
 * The bootstrap (Efron 1979): how a figure varies over resamples of its rows, drawn with replacement. Rows are
 * what was drawn independently: prompts, not the samples of a prompt.
 * @module
 */
import { drawWords, STREAMS } from "../random.ts";
import { normalCdf, studentQuantile } from "./distributions.ts";

/** How resamples are drawn. */
export interface BootstrapOptions {
  /** Share of intervals that hold the true value, in (0, 1). Default 0.95. */
  level?: number;
  /** Resamples, from 1 to 2^32. Default 2000. */
  resamples?: number;
  /** Key of the random numbers, 0 to 2^53 - 1: the same seed draws the same rows. Default 1. */
  seed?: number;
}

/** `statistic` of each resample of n rows, sorted; it is given the rows' numbers, and must not keep them. */
export function resampled(
  n: number,
  statistic: (rows: Uint32Array) => number,
  { resamples = 2000, seed = 1 }: BootstrapOptions = {},
): Float64Array {
  const values = new Float64Array(resamples), rows = new Uint32Array(n);
  for (let resample = 0; resample < resamples; resample++) {
    for (let block = 0; 4 * block < n; block++) {
      const words = drawWords(STREAMS.bootstrap, seed, { block, resample });
      const most = Math.min(4, n - 4 * block);
      for (let i = 0; i < most; i++) rows[4 * block + i] = Math.floor(words[i] / 2 ** 32 * n);
    }
    values[resample] = statistic(rows);
  }
  return values.filter((value) => !Number.isNaN(value)).sort();
}

/**
 * The expanded percentile interval (Hesterberg 2015, "What teachers should know about the bootstrap", 5.3):
 * the percentile interval at the level whose normal quantile is sqrt(n / (n - 1)) times that of Student's t
 * with n - 1 degrees of freedom. The plain one is too narrow for small n, by the factor sqrt((n - 1) / n) and
 * as if the spread were known; BCa, widened alike, covered no better on skewed values and too often on shares.
 * @param sorted values of `resampled`, one at least
 * @param n rows of the sample, 2 at least
 */
export function percentileInterval(
  sorted: Float64Array,
  n: number,
  level = 0.95,
): { low: number; high: number } {
  const t = studentQuantile((1 + level) / 2, n - 1);
  const tail = normalCdf(-Math.sqrt(n / (n - 1)) * t);
  return { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
}

/** The p-quantile of sorted values, between the two that are at p (n + 1) (Hyndman and Fan 1996, type 6). */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  const last = sorted.length - 1;
  const at = Math.min(last, Math.max(0, p * (sorted.length + 1) - 1)), below = Math.floor(at);
  const above = Math.min(last, below + 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
