/** A metric of a run as one list. @module */

/** Metrics of a run: names, and a row a step that begins with the step. */
interface Metrics {
  readonly names: readonly string[];
  readonly metrics: readonly (readonly number[])[];
}

/** The values of a metric, one a step, NaN where there is none; undefined where the run does not report it. */
export function columnOf({ names, metrics }: Metrics, name: string): number[] | undefined {
  const at = names.indexOf(name) + 1;
  return at === 0 ? undefined : metrics.map((row) => row[at] ?? NaN);
}

/** Those of its values that are numbers; none where the run does not report it. */
export const finiteColumn = (run: Metrics, name: string): number[] =>
  (columnOf(run, name) ?? []).filter(Number.isFinite);
