/**
 * What the tables of a run cannot hold as a run writes them: they were cut off, edited, or put together. A
 * figure of such a table is no figure of the run, so that readers refuse it and name it.
 * @module
 */
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { Split, Summary } from "../observer.ts";
import { cellNumber, cellShare } from "./csv.ts";
import type { RunData } from "./run_data.ts";

/** What every run measures, whatever it is trained on: no other reward may be called so. */
const EXACT_MEAN = "rewards/exact/mean";
/** How their tables of metrics call what is a share. */
const SHARES = ["0 to 1", "0 or 1"];
/** Names of an algorithm's metrics that are shares, 0 to 1; of one that is not in the registry few are known. */
function sharesOf(algorithm: string): ReadonlySet<string> {
  const metrics = listAlgorithms().find(({ name }) => name === algorithm)?.metrics ?? [];
  const shares = metrics.filter(({ range }) => SHARES.includes(range)).map(({ name }) => name);
  return new Set([EXACT_MEAN, ...shares]);
}

/** Rows of metrics as numbers: the step, then a value a name. @throws {TypeError} naming row and column */
export function metricRows(
  rows: readonly (readonly string[])[],
  { names, algorithm }: { names: readonly string[]; algorithm: string },
): number[][] {
  const shares = sharesOf(algorithm), columns = ["step", ...names];
  return rows.map((cells, i) =>
    cells.map((cell, k) => {
      try {
        return shares.has(columns[k]) ? cellShare(columns[k], cell) : cellNumber(cell);
      } catch (error) {
        const where = `row ${i + 1}, column ${columns[k]}`;
        throw new TypeError(`${where}: ${(error as Error).message}`, { cause: error });
      }
    })
  );
}

/** Which name comes twice, in words that follow "as"; undefined where none does. */
export function twiceFault(names: readonly string[]): string | undefined {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined
    ? undefined
    : `each column has a name of its own: ${JSON.stringify(twice)} is there twice`;
}

/** Why these are not all rows of a run that has ended, in words that follow "as"; undefined where they are. */
export function metricsFault(
  { steps }: Pick<Summary, "steps">,
  metrics: readonly (readonly number[])[],
): string | undefined {
  const last = metrics.at(-1)?.[0] ?? 0;
  if (metrics.length === steps && last === steps) return undefined;
  const { length } = metrics;
  const there = length === 0 ? "is none" : length === 1 ? "is 1 row" : `are ${length} rows`;
  return `the run is finished and has a row for each of its ${steps} steps by its summary.json: ` +
    `it is damaged, there ${there}${length === 0 ? "" : `, to step ${last}`}`;
}

/**
 * The same of completions: a run answers the same prompts before and after, unless it went on with other data.
 * One that keeps none, or has nothing from before, says nothing of how many there must be.
 */
export function completionsFault(
  { steps }: Pick<Summary, "steps">,
  { completions, history = [] }: Pick<RunData, "completions" | "history">,
): string | undefined {
  const isSame = !history.some((event) => event.kind === "resumed" && event.files);
  const ids = (split: Split, phase: "before" | "after") =>
    completions.filter((row) =>
      row.split === split && row.phase === phase && (phase === "before" || row.step === steps)
    ).map(({ id }) => id);
  for (const split of ["train", "heldout"] as const) {
    const before = new Set(ids(split, "before")), after = new Set(ids(split, "after"));
    if (isSame ? [...before].every((id) => after.has(id)) : after.size > 0) continue;
    if (before.size === 0) continue;
    const words = split === "train" ? "training" : "held-out";
    return `the run is finished and answered its ${before.size} ${words} prompts again after step ` +
      `${steps}: it is damaged, there are answers to ${after.size}`;
  }
}
