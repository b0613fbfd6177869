/** What the runs of a study came to, read from its folder. @module */
import { join } from "node:path";
import { readRun, type RunData } from "../../experiment/folder/run_data.ts";
import type { Sweep } from "../../experiment/folder/sweep_file.ts";
import { Results } from "../../experiment/studies/results.ts";
import { type Comparison, comparisonOf } from "../compare/compare.ts";
import { type Compared, withMetrics } from "../compare/groups.ts";
import { allFacts, type CellFacts } from "../sweep/table.ts";
import { ARM } from "./plan.ts";

/** A study's runs as they are. */
export interface Gathered {
  results: Results;
  /** Every run, finished or not. */
  facts: readonly CellFacts[];
  /** The finished ones beside each other; undefined where there is none. */
  comparison: Comparison | undefined;
  /** The arm of each group of `comparison`, by its letter. */
  armOf: ReadonlyMap<string, string>;
}

/** Reads the runs of `sweep` in `folder`. Completions are kept of held-out prompts alone: they may be many. */
export async function gather(folder: string, sweep: Sweep, command: string): Promise<Gathered> {
  const facts = await allFacts(folder, sweep);
  const runs: { arm: string; seed: number; run: RunData }[] = [], compared: Compared[] = [];
  for (const { cell, state, run: glance } of facts) {
    if (state !== "finished" || !glance) continue;
    const place = join(folder, cell.folder), run = await readRun(place);
    const completions = run.completions.filter(({ split }) => split === "heldout");
    runs.push({
      arm: cell.values[ARM],
      seed: Number(cell.values.seed),
      run: { ...run, completions },
    });
    compared.push(await withMetrics(glance));
  }
  const comparison = compared.length > 0 ? comparisonOf(compared, command) : undefined;
  const armByFolder = new Map(
    sweep.cells.map(({ folder: name, values }) => [join(folder, name), values[ARM]]),
  );
  const armOf = new Map(
    comparison?.groups.map(({ letter, runs: [{ folder }] }) => [letter, armByFolder.get(folder)!]),
  );
  return { results: new Results(runs), facts, comparison, armOf };
}
