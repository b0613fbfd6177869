/** The runs behind the figures: one table of curves a run, in data/. @module */

/** Their folder. */
export const DATA = new URL("data/", import.meta.url);

/** The folder of the tables of docs/exercises/1-find-the-bug.md. */
export const BUG_TABLES = new URL("../../docs/exercises/find-the-bug/", import.meta.url);

/** A run's metrics by name, a number a step; empty cells are NaN. */
export interface Curves {
  step: number[];
  /** @throws {RangeError} for a column that the run does not have */
  of(metric: string): number[];
  /** The same as points of a chart. */
  points(metric: string): [step: number, value: number][];
}

/** Reads NAME.csv of the folder, whose first column is `step`. */
export async function readCurves(name: string, folder = DATA): Promise<Curves> {
  const text = await Deno.readTextFile(new URL(`${name}.csv`, folder));
  const [head, ...rows] = text.trim().split("\n").map((line) => line.split(","));
  const of = (metric: string): number[] => {
    const at = head.indexOf(metric);
    if (at < 0) throw new RangeError(`Cannot read ${metric} as ${name}.csv has no such column`);
    return rows.map((row) => row[at] === "" ? NaN : Number(row[at]));
  };
  const step = of("step");
  return {
    step,
    of,
    points: (metric) => of(metric).map((value, i): [number, number] => [step[i], value]),
  };
}
