/**
 * Intervals of means, each by the method that covers at the sizes that occur, 20 to 100 prompts and a few
 * seeds; `tests/base/statistics/coverage_test.ts` shows how often each holds the true mean.
 *
 * Samples of one prompt are no independent values: give one mean a prompt (`clusterMeans`).
 * @module
 */
import { type BootstrapOptions, percentileInterval, resampled } from "./bootstrap.ts";
import { normalQuantile, studentQuantile } from "./distributions.ts";
import { differences, mean, standardError } from "./moments.ts";

/**
 * How an interval was made. "none": there is none, as there are fewer than two values, or all are the same, of
 * which no resample differs; `low` and `high` are NaN.
 */
export type IntervalMethod = "bootstrap" | "wilson" | "bonett-price" | "jackknife" | "t" | "none";

/** A figure and where its true value lies, at the level that was asked for. */
export interface Interval {
  /** The figure itself: a mean, or what its maker says. NaN of nothing. */
  mean: number;
  low: number;
  high: number;
  /** Independent values that it comes from. */
  n: number;
  method: IntervalMethod;
}

/** A figure without an interval. */
export const noInterval = (value: number, n: number): Interval => ({
  ...{ mean: value, low: NaN, high: NaN, n },
  method: "none",
});

const areShares = (values: readonly number[]): boolean =>
  values.length > 0 && values.every((value) => value === 0 || value === 1);

const areEqual = (values: readonly number[]): boolean =>
  values.every((value) => value === values[0]);

/**
 * Mean of independent values. Where all are 0 or 1, Wilson's score interval: a bootstrap of 20 answers of which
 * 1 in 20 is right holds the true share in 65 of 100 cases, as it has no width where none is. Else the
 * bootstrap's expanded percentile interval.
 */
export function meanInterval(values: readonly number[], options: BootstrapOptions = {}): Interval {
  const n = values.length, middle = mean(values);
  if (areShares(values)) return { ...wilson(middle * n, n, options), n, method: "wilson" };
  if (n < 2 || areEqual(values)) return noInterval(middle, n);
  const means = resampled(n, (rows) => meanAt(values, rows), options);
  return { mean: middle, ...percentileInterval(means, n, options.level), n, method: "bootstrap" };
}

/**
 * Mean of a - b over pairs, such as the scores of two policies on the same prompts. Where all values are 0 or 1,
 * Bonett and Price's adjusted Wald interval; else as `meanInterval`, of the differences.
 * @throws {RangeError} where the two differ in length
 */
export function differenceInterval(
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  const difference = differences(a, b), n = a.length, middle = mean(difference);
  if (areShares(a) && areShares(b)) {
    return { ...bonettPrice(difference, options), n, method: "bonett-price" };
  }
  if (n < 2 || areEqual(difference)) return noInterval(middle, n);
  const means = resampled(n, (rows) => meanAt(difference, rows), options);
  return { mean: middle, ...percentileInterval(means, n, options.level), n, method: "bootstrap" };
}

/**
 * A figure of a whole sample that is no mean, such as exp(sum of nats / sum of tokens), by the bootstrap of its
 * rows: `statistic` is given the numbers of n rows. Where it is NaN it is left out.
 */
export function statisticInterval(
  n: number,
  statistic: (rows: ArrayLike<number>) => number,
  options: BootstrapOptions = {},
): Interval {
  const whole = statistic(Uint32Array.from({ length: n }, (_, row) => row));
  if (n < 2 || Number.isNaN(whole)) return noInterval(whole, n);
  const values = resampled(n, statistic, options);
  if (values[0] === values.at(-1)) return noInterval(whole, n);
  return { mean: whole, ...percentileInterval(values, n, options.level), n, method: "bootstrap" };
}

/**
 * A figure that a repeated row changes by itself, such as the share of different words, by the jackknife (Tukey
 * 1958) with Student's t: `statistic` is given all rows, and all but one. A bootstrap draws rows twice, and
 * would take that for repetition.
 */
export function jackknifeInterval(
  n: number,
  statistic: (rows: ArrayLike<number>) => number,
  { level = 0.95 }: Pick<BootstrapOptions, "level"> = {},
): Interval {
  const all = Array.from({ length: n }, (_, row) => row), whole = statistic(all);
  if (n < 2 || Number.isNaN(whole)) return noInterval(whole, n);
  const left = all.map((out) => statistic(all.filter((row) => row !== out)));
  if (areEqual(left) || left.some(Number.isNaN)) return noInterval(whole, n);
  const half = studentQuantile((1 + level) / 2, n - 1) * (n - 1) * standardError(left);
  return { mean: whole, low: whole - half, high: whole + half, n, method: "jackknife" };
}

/**
 * Mean over seeds by Student's t, so that three seeds that agree by luck are not taken for more than three. One
 * seed has no interval: what another would give is not known.
 */
export function seedInterval(
  values: readonly number[],
  { level = 0.95 }: Pick<BootstrapOptions, "level"> = {},
): Interval {
  const n = values.length, middle = mean(values);
  if (n < 2) return noInterval(middle, n);
  const half = studentQuantile((1 + level) / 2, n - 1) * standardError(values);
  return { mean: middle, low: middle - half, high: middle + half, n, method: "t" };
}

function meanAt(values: readonly number[], rows: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += values[rows[i]];
  return sum / rows.length;
}

/** A share `count` of n (Wilson 1927, "Probable inference", J. Am. Stat. Assoc. 22). */
function wilson(count: number, n: number, { level = 0.95 }: BootstrapOptions) {
  const z = normalQuantile((1 + level) / 2), share = count / n, weight = n + z * z;
  const middle = (count + z * z / 2) / weight;
  const half = z / weight * Math.sqrt(n * share * (1 - share) + z * z / 4);
  return { mean: share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/**
 * A difference of paired shares: one is added to the pairs that went up and to those that went down (Bonett and
 * Price 2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
 * data", J. Educ. Behav. Stat. 37).
 */
function bonettPrice(difference: readonly number[], { level = 0.95 }: BootstrapOptions) {
  const z = normalQuantile((1 + level) / 2), n = difference.length;
  const up = (difference.filter((d) => d > 0).length + 1) / (n + 2);
  const down = (difference.filter((d) => d < 0).length + 1) / (n + 2);
  const half = z * Math.sqrt((up + down - (up - down) ** 2) / (n + 2)), middle = up - down;
  return {
    mean: mean(difference),
    low: Math.max(-1, middle - half),
    high: Math.min(1, middle + half),
  };
}
