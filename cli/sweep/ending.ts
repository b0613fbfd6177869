/** How the runs of a sweep ended, and what is said of it. @module */
import { join } from "node:path";
import { note } from "../../experiment/folder/history.ts";
import { LockedError, RunLock } from "../../experiment/folder/lock.ts";
import { type Sweep, SWEEP_TABLE, type SweepCell } from "../../experiment/folder/sweep_file.ts";
import { INTERRUPTED } from "../interrupt.ts";
import { score } from "../report/table.ts";
import { columns, quoted, type Terminal } from "../terminal.ts";
import { wrap } from "../wrap.ts";
import { valueWords } from "./grid.ts";
import type { CellEnd } from "./pool.ts";
import { type CellFacts, type CellState, counts, factsOf } from "./table.ts";

/** A run that diverged would again; one that runs is another process'. */
export const canRun = (state: CellState): boolean =>
  ["waiting", "stopped", "failed"].includes(state);

/**
 * How the run of `cell` is after its end. Its folder says so; what it could not write itself, as its thread
 * died, is noted there, so that the sweep's table says of a run what everybody says who looks at its folder.
 * @param options.next the line that goes on with it
 */
export async function endedAs(
  folder: string,
  cell: SweepCell,
  { code, message, next }: CellEnd & { next: string },
): Promise<CellFacts> {
  const facts = await factsOf(folder, cell), { state, run } = facts;
  if (state === "finished" || state === "diverged" || code === INTERRUPTED) return facts;
  const error = message ?? facts.error ?? `it ended with code ${code}`;
  const isUntold = run !== undefined && state !== "failed";
  const told = isUntold && await noteFailure(run.folder, { cause: error, step: run.done, next });
  return { ...facts, state: isUntold && !told ? state : "failed", error };
}

/** Whether it could be noted: another process may have the run, or the disk be full. */
async function noteFailure(
  place: string,
  event: { cause: string; step: number; next: string },
): Promise<boolean> {
  try {
    using _lock = await lockSoon(place);
    await note(place, { kind: "failed", ...event });
    return true;
  } catch {
    return false;
  }
}

/** The right to write a run's folder, which a thread that was ended gives up a moment later. */
async function lockSoon(place: string): Promise<RunLock> {
  for (let i = 0;; i++) {
    try {
      return await RunLock.take(place);
    } catch (error) {
      if (!(error instanceof LockedError) || i === 50) throw error;
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}

/** One run in a line: what it is, its state, and held-out answers before and after, or what is kept of it. */
export function cellLine({ cell, state, run }: CellFacts): string {
  const words = valueWords(cell.values);
  if (state === "waiting") return `not begun  ${words}`;
  if (state === "stopped" && run) {
    return `stopped  ${words}  ${run.done} of ${run.config.steps} steps, kept`;
  }
  if (!run?.summary) return `${state}  ${words}`;
  const { before, after } = run.summary.heldout;
  const name = Number.isNaN(after.exact) ? "reward" : "exact";
  return `${state}  ${words}  ${name} ${score(before[name])} -> ${score(after[name])}`;
}

/** Why a run failed or diverged, and where it lies; no lines of another one. */
export function faultLines(
  folder: string,
  { cell, state, error = "", run }: CellFacts,
  room: number,
): string[] {
  if (state !== "failed" && state !== "diverged") return [];
  const said = `${state}: ${valueWords(cell.values)}, in ${join(folder, cell.folder)}: ${error}`;
  return [
    ...said.split("\n").flatMap((line) => wrap(line, room)),
    ...(state === "diverged" && run?.next ? [`  ${run.next}`] : []),
  ];
}

/** A sweep that has ended, well or not. */
export interface EndedSweep {
  folder: string;
  sweep: Sweep;
  all: readonly CellFacts[];
  /** The line that goes on with it. */
  next: string;
  /** Whether somebody stopped it. */
  stopped: boolean;
}

/** The last lines: every run in a table, what went wrong, where it all is, and how to go on. */
export function closing(
  { folder, sweep: { axes }, all, next, stopped }: EndedSweep,
  { columns: room }: Terminal,
): string[] {
  const names = axes.map(({ name }) => name), states = all.map(({ state }) => state);
  const rows = all.map(({ cell, state, run }) => [
    ...names.map((name) => cell.values[name]),
    state,
    ...["exact", "reward"].map((name) =>
      score(run?.summary?.heldout.after[name as "exact" | "reward"] ?? null)
    ),
  ]);
  const table = columns([[...names, "state", "held-out exact", "reward"], ...rows]);
  const isAgain = states.some((state) => state === "failed" || state === "diverged");
  return [
    "",
    ...(table.every((line) => line.length <= room) ? table : rows.map((row) => row.join("  "))),
    "",
    ...all.flatMap((facts) => faultLines(folder, facts, room)),
    ...(stopped ? wrap(stoppedWords(states), room) : []),
    `${all.length} runs: ${counts(states)}`,
    `table    ${join(folder, SWEEP_TABLE)}`,
    ...(states.includes("finished") ? [`compare  deno task compare ${quoted(folder)}`] : []),
    ...(states.some(canRun) ? [`${isAgain && !stopped ? "try again" : "continue"}  ${next}`] : []),
  ];
}

const stoppedWords = (states: readonly CellState[]): string =>
  states.every((state) => state === "waiting")
    ? "stopped before a run began, and nothing is lost: the sweep keeps its grid"
    : "stopped, and nothing is lost: each run keeps what it has done, and goes on from there";

/** What `--json` prints. */
export const sweepObject = (
  folder: string,
  all: readonly CellFacts[],
): Record<string, unknown> => ({
  folder,
  table: join(folder, SWEEP_TABLE),
  runs: all.map(({ cell, state, run, error }) => ({
    folder: join(folder, cell.folder),
    values: cell.values,
    state,
    ...(error !== undefined && { error }),
    ...(run?.summary && { heldout: run.summary.heldout }),
  })),
});
