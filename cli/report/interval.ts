/** How sure a share of prompts is. @module */

/** Ends of an interval of 95 %. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

const Z = 1.959964; // the standard normal distribution has 95 % within it

/**
 * Wilson's interval (1927) of the share of ones among `values`, one a prompt, which is no point where all are
 * alike; undefined for fewer than two values, or where one is neither 0 nor 1.
 */
export function shareInterval(values: readonly number[]): Interval | undefined {
  const n = values.length;
  if (n < 2 || values.some((x) => x !== 0 && x !== 1)) return undefined;
  const share = values.reduce((sum, x) => sum + x, 0) / n;
  const middle = share + Z * Z / (2 * n), scale = 1 + Z * Z / n;
  const half = Z * Math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n));
  return {
    low: share === 0 ? 0 : (middle - half) / scale, // where the two cancel but for rounding
    high: share === 1 ? 1 : (middle + half) / scale,
  };
}
