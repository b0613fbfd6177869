/** Mean, spread, and the error of a mean. @module */

/** Mean; NaN of nothing. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sample variance, divided by n - 1; NaN of fewer than two. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return NaN;
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

/** Standard error of the mean of independent values; NaN of fewer than two. */
export const standardError = (values: readonly number[]): number =>
  Math.sqrt(variance(values) / values.length);

/** One mean for each cluster of values that belong together, such as the samples of one prompt. */
export const clusterMeans = (clusters: readonly (readonly number[])[]): number[] =>
  clusters.map((values) => {
    if (values.length > 0) return mean(values);
    throw new RangeError("Cannot take the mean of a cluster as it needs values: one is empty");
  });

/** Two lists of equal length, pair by pair. @throws {RangeError} for others */
export function differences(a: readonly number[], b: readonly number[]): number[] {
  if (a.length === b.length) return a.map((value, i) => value - b[i]);
  throw new RangeError(
    `Cannot pair values as each needs its partner: there are ${a.length} and ${b.length}`,
  );
}
