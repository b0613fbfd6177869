/**
 * Quantiles and tails of the normal and of Student's t distribution. jstat is one file without dependencies,
 * within 1e-7 of scipy (tests/base/statistics/scipy_test.ts), more than any figure shows; @stdlib has every
 * digit, and takes 224 packages for it.
 * @module
 */
import jstat from "npm:jstat@1.9.6";

interface Distributions {
  normal: {
    cdf(x: number, mean: number, std: number): number;
    inv(p: number, m: number, s: number): number;
  };
  studentt: { cdf(x: number, df: number): number; inv(p: number, df: number): number };
}

const { normal, studentt } = jstat as unknown as Distributions;

/** P(Z <= z) of the standard normal distribution. */
export const normalCdf = (z: number): number => normal.cdf(z, 0, 1);

/** The z that a standard normal variable is below with probability p, in (0, 1). */
export const normalQuantile = (p: number): number => normal.inv(p, 0, 1);

/** P(T <= t) of Student's t with `df` > 0 degrees of freedom. */
export const studentCdf = (t: number, df: number): number => studentt.cdf(t, df);

/** The t that such a variable is below with probability p, in (0, 1). */
export const studentQuantile = (p: number, df: number): number => studentt.inv(p, df);
