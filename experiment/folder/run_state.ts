/** How far a run is, and how it ended: what lists, sweeps and comparisons say of it. @module */
import { join } from "node:path";
import { isBetter } from "../best.ts";
import type { Best, Summary } from "../observer.ts";
import { ifThere } from "../../model/files/deno_folder.ts";
import { endOf, readHistory, type RunEvent } from "./history.ts";
import { LOCK_FILE } from "./lock.ts";
import {
  readEvaluations,
  readRunConfig,
  readSummary,
  readTable,
  type RunConfig,
  valuesAtEnd,
} from "./run_data.ts";

/** `stopped`: by a signal or a kill, it can be continued. `failed`: by an error. */
export type RunState = "finished" | "running" | "stopped" | "failed" | "diverged";

/** All states, in the order in which they are told. */
export const RUN_STATES: readonly RunState[] = [
  "finished",
  "running",
  "stopped",
  "failed",
  "diverged",
];

/** A run at a glance: what can be told of it without its completions. */
export interface RunGlance {
  folder: string;
  /** As it holds at the run's end. */
  config: RunConfig;
  state: RunState;
  /** Why it was cut short, one sentence. */
  cause?: string;
  /** The line that continues it. */
  next?: string;
  /** Steps done. */
  done: number;
  /** The best held-out answers so far; undefined where none were evaluated. */
  best?: Best;
  summary?: Summary;
}

/** @throws {RunFolderError} when the folder holds no run or a file of it is malformed */
export async function glanceAt(folder: string): Promise<RunGlance> {
  const began = await readRunConfig(folder), history = await readHistory(folder);
  const summary = await readSummary(folder);
  const config = { ...began, ...valuesAtEnd(began, history) };
  const done = summary?.steps ?? await lastStep(folder);
  const best = summary ? bestOf(summary) : await bestSoFar(folder);
  return { folder, config, summary, done, best, ...await stateOf(folder, { summary, history }) };
}

/** The state of a run by its summary, its history, and whether a process has it. */
export async function stateOf(
  folder: string,
  { summary, history = [] }: { summary?: Summary; history?: readonly RunEvent[] },
): Promise<Pick<RunGlance, "state" | "cause" | "next">> {
  if (await isLocked(folder)) return { state: "running" };
  if (summary) return { state: "finished" };
  const end = endOf(history);
  if (end) return { state: end.kind, cause: end.cause, next: end.next };
  return { state: "stopped", cause: "its process ended without a word: it was killed" };
}

/** Whether a process writes the run now. Looks only where there is a lock's file, and holds nothing. */
export async function isLocked(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(join(folder, LOCK_FILE), { read: true });
    return !await file.tryLock(false);
  } catch {
    return false; // no such file, or a file system without locks
  }
}

async function lastStep(folder: string): Promise<number> {
  const [, ...rows] = await readTable(folder, "metrics.csv");
  return Number(rows.at(-1)?.[0] ?? 0);
}

/** Of a run that evaluated only before and after, the better of the two. */
function bestOf({ best, heldout: { before, after }, steps }: Summary): Best {
  if (best) return best;
  return isBetter(before, after) ? { ...before, step: 0 } : { ...after, step: steps };
}

async function bestSoFar(folder: string): Promise<Best | undefined> {
  return (await readEvaluations(folder)).filter(({ split }) => split === "heldout")
    .reduce<Best | undefined>((best, one) => best && !isBetter(one, best) ? best : one, undefined);
}

/** When the run began, ms since 1970; of runs of older versions when their config was written. */
export async function beganAt({ folder, config }: RunGlance): Promise<number> {
  if (config.started !== undefined) return Date.parse(config.started);
  return (await ifThere(Deno.stat(join(folder, "config.json"))))?.mtime?.getTime() ?? 0;
}
