/** `sweep.csv`: what each run of a sweep is, how it ended, and its final figures. @module */
import { join } from "node:path";
import { csvLines, givenCell, guard, numberCell, unguard } from "../../experiment/folder/csv.ts";
import { replaceFile } from "../../experiment/folder/files.ts";
import { columnOf } from "../../experiment/columns.ts";
import { readMetrics, readTable } from "../../experiment/folder/run_data.ts";
import {
  glanceAt,
  RUN_STATES,
  type RunGlance,
  type RunState,
} from "../../experiment/folder/run_state.ts";
import { type Sweep, SWEEP_TABLE, type SweepCell } from "../../experiment/folder/sweep_file.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { printableMessage } from "../printable.ts";
import { foreignIn } from "./foreign.ts";

/** `waiting`: it has no run folder yet. */
export type CellState = RunState | "waiting";

/** `10 finished, 2 failed` */
export function counts(states: readonly CellState[]): string {
  const of = (wanted: CellState) => states.filter((state) => state === wanted).length;
  return [...RUN_STATES, "waiting" as const].filter((state) => of(state) > 0)
    .map((state) => `${of(state)} ${state}`).join(", ");
}

/** One run of a sweep as it is. */
export interface CellFacts {
  cell: SweepCell;
  state: CellState;
  run?: RunGlance;
  /** Why it was cut short. */
  error?: string;
  /** Of a finished run: KL of its last step, completions without a score, skipped updates. */
  figures?: { kl: number; unscored: number; skipped: number };
}

/** How a run of the sweep in `folder` is. */
export async function factsOf(folder: string, cell: SweepCell): Promise<CellFacts> {
  const place = join(folder, cell.folder);
  if (await kindOf(join(place, "config.json")) === undefined) return { cell, state: "waiting" };
  try {
    const run = await glanceAt(place), { state, cause } = run;
    const foreign = foreignIn(cell, run.config);
    if (foreign !== undefined) {
      return { cell, state: "failed", error: `another run lies in its folder: ${foreign}` };
    }
    if (state !== "finished") return { cell, state, run, error: cause };
    return { cell, state, run, figures: await figuresOf(run) };
  } catch (error) {
    return { cell, state: "failed", error: (error as Error).message };
  }
}

/**
 * The same of every run, one after the other: of thousands at once a system would not open all files. One that
 * failed before it had a folder is told of by the table alone.
 */
export async function allFacts(
  folder: string,
  { cells }: Pick<Sweep, "cells">,
): Promise<CellFacts[]> {
  const failures = await failuresIn(folder);
  return await Array.fromAsync(cells, async (cell) => {
    const facts = await factsOf(folder, cell), error = failures.get(cell.folder);
    return facts.state === "waiting" && error !== undefined
      ? { cell, state: "failed" as const, error }
      : facts;
  });
}

/** Errors by run, as the sweep's table has them; none where there is no table, or another one. */
async function failuresIn(folder: string): Promise<Map<string, string>> {
  const [head = [], ...rows] = await readTable(folder, SWEEP_TABLE).catch(() => []);
  const [run, state, error] = ["run", "state", "error"].map((name) => head.lastIndexOf(name));
  return new Map(
    rows.filter((cells) => cells[state] === "failed")
      .map((cells) => [unguard(cells[run]), unguard(cells[error])]),
  );
}

async function figuresOf(
  { folder, config: { algorithm } }: RunGlance,
): Promise<CellFacts["figures"]> {
  const run = await readMetrics(folder, algorithm);
  const sum = (name: string) => (columnOf(run, name) ?? []).reduce((a, b) => a + b, 0);
  return {
    kl: columnOf(run, "kl/reference")?.at(-1) ?? NaN,
    unscored: sum("rewards/null_count"),
    skipped: sum("optimizer/skipped_updates"),
  };
}

const FIGURES = [
  ...["steps", "train_exact_before", "train_exact", "train_reward_before", "train_reward"],
  ...["heldout_exact_before", "heldout_exact", "heldout_reward_before", "heldout_reward"],
  ...["best_step", "best_exact", "best_reward", "kl", "unscored", "skipped"],
];

/**
 * The table. Nothing in it differs between a sweep that was cut short and continued and one that was not: no
 * time, no path, nothing of the machine.
 */
export function sweepTable({ axes }: Pick<Sweep, "axes">, facts: readonly CellFacts[]): string {
  const names = axes.map(({ name }) => name);
  const seeds = names.includes("seed") ? [] : ["seed"];
  return csvLines([
    ["run", ...names.map(textCell), ...seeds, "state", ...FIGURES, "error"],
    ...facts.map((fact) => {
      const { cell, state, run, error = "" } = fact;
      return [
        textCell(cell.folder),
        ...names.map((name) => givenCell(printableMessage(cell.values[name]))),
        ...seeds.map(() => run ? String(run.config.seed) : ""),
        state,
        ...figureCells(fact),
        textCell(error),
      ];
    }),
  ]);
}

/** A text that acts neither in a spreadsheet nor in a terminal that the table is shown in. */
const textCell = (text: string): string => guard(printableMessage(text));

function figureCells({ run, figures }: CellFacts): string[] {
  const { summary, best } = run ?? {};
  const of = (split: "train" | "heldout"): number[] => {
    if (!summary) return [NaN, NaN, NaN, NaN];
    const { before, after } = summary[split];
    return [before.exact, after.exact, before.reward, after.reward];
  };
  return [
    ...[run?.done ?? NaN, ...of("train"), ...of("heldout")],
    ...(summary && best ? [best.step, best.exact, best.reward] : [NaN, NaN, NaN]),
    ...[figures?.kl ?? NaN, figures?.unscored ?? NaN, figures?.skipped ?? NaN],
  ].map(numberCell);
}

/** Puts the table where it belongs. @throws {WriteError} when it cannot be written */
export const writeTable = (
  folder: string,
  sweep: Sweep,
  facts: readonly CellFacts[],
): Promise<void> => replaceFile(join(folder, SWEEP_TABLE), sweepTable(sweep, facts));
