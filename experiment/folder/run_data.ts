/** Reads a run folder back: for the report, for resuming, for comparing. @module */
import { join } from "node:path";
import { denoFolder, readIfThere } from "../../model/files/deno_folder.ts";
import { readJson } from "../../model/files/folder_source.ts";
import type { ModelSource } from "../../model/hub/find_model.ts";
import type { CompletionRow, Split, Summary } from "../observer.ts";
import { completionOf, readCsv, scoreNames } from "./csv.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { currentName } from "../../rl/metrics.ts";
import { listFolder } from "./files.ts";
import { changesOf, readHistory, type RunEvent } from "./history.ts";

/** What `config.json` holds. */
export interface RunConfig {
  task: string;
  algorithm: string;
  rewards: string[];
  /** What each reward counts; absent, like the next but one, in runs of older versions. */
  weights?: Record<string, number>;
  model: string;
  /** What exactly the run started from. */
  source?: ModelSource;
  seed: number;
  steps: number;
  device: { kind: string; name: string; software: boolean };
  /** The line that repeats the run. */
  command: string;
  /** What was asked for on the command line, for `--resume`. */
  request: Record<string, unknown>;
  /** Every setting as resolved. */
  config: Record<string, unknown>;
  /** When the run began, ISO 8601 in UTC; absent in runs of older versions. */
  started?: string;
  /** Versions that made the run. */
  versions: Record<string, string>;
}

/** A run folder's contents; an absent file gives an empty part. */
export interface RunData {
  folder: string;
  config: RunConfig;
  /** Metric names in order, without `step`. */
  names: string[];
  /** One row a step: the step, then a value a name (NaN where the cell is empty). */
  metrics: number[][];
  completions: CompletionRow[];
  summary: Summary | undefined;
  /** What happened to it beside its steps, after which `config` is as at its end; absent: nothing. */
  history?: RunEvent[];
}

/** A folder or file that is not a run, or one that another program has changed. */
export class RunFolderError extends Error {
  override name = "RunFolderError";
}

/** @throws {RunFolderError} when the folder holds no run or a file of it is malformed */
export async function readRun(folder: string): Promise<RunData> {
  const config = await readObject(folder, "config.json") as RunConfig | undefined;
  if (typeof config?.task !== "string" || typeof config.config !== "object") {
    throw new RunFolderError(
      `Cannot read ${folder} as a run folder holds a config.json: ` +
        `${config ? "its config.json names no task" : "there is none"}. List runs: ls runs`,
    );
  }
  const [head = ["step"], ...lines] = await readTable(folder, "metrics.csv");
  const [title = [], ...texts] = await readTable(folder, "completions.csv");
  const rewards = scoreNames(title);
  const history = await readHistory(folder);
  return {
    folder,
    config: { ...config, ...valuesAtEnd(config, history) },
    history,
    names: head.slice(1).map((name) => currentColumn(name, config.algorithm)),
    metrics: lines.map((cells) => cells.map((cell) => cell === "" ? NaN : Number(cell))),
    completions: texts.map((cells, i) => readCompletion(folder, { cells, rewards, row: i + 1 })),
    summary: await readObject(folder, "summary.json") as Summary | undefined,
  };
}

/** What of a config was changed when the run was resumed. */
function valuesAtEnd(
  { config }: RunConfig,
  history: readonly RunEvent[],
): Partial<Pick<RunConfig, "config" | "steps">> {
  const values = { ...config };
  for (const event of history) {
    if (event.kind !== "resumed") continue;
    for (const [key, [, after]] of Object.entries(event.changed)) values[key] = after;
  }
  const { steps } = changesOf(history);
  return { config: values, ...(steps !== undefined && { steps }) };
}

/** @throws {RunFolderError} for a row that no version writes */
function readCompletion(
  folder: string,
  { cells, rewards, row }: { cells: string[]; rewards: string[]; row: number },
): CompletionRow {
  try {
    return completionOf(cells, rewards);
  } catch (error) {
    throw new RunFolderError(
      `Cannot read row ${row} of ${folder}/completions.csv: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/**
 * The present name of a column of `metrics.csv`, which runs of earlier versions named as TRL does. An
 * algorithm that is not in the registry had no earlier version: its columns keep their names.
 */
export const currentColumn = (column: string, algorithm: string): string =>
  currentName(column, listAlgorithms().find(({ name }) => name === algorithm)?.metrics ?? []);

/** One prompt with its greedy completion before and after training. */
export interface Pair {
  prompt: string;
  before: string;
  after: string;
  answer: string;
}

/** The greedy completions of one split, matched by id. */
export function pairs(completions: readonly CompletionRow[], split: Split): Pair[] {
  const of = completions.filter((row) => row.split === split);
  const before = new Map(
    of.filter(({ phase }) => phase === "before").map((row) => [row.id, row]),
  );
  return of.filter(({ phase, id }) => phase === "after" && before.has(id))
    .map((row) => ({
      prompt: row.prompt,
      before: before.get(row.id)!.completion,
      after: row.completion,
      answer: row.answer,
    }));
}

/** Steps that have a whole checkpoint, ascending. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const names = await listFolder(join(folder, "checkpoints"));
  return names.map((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? NaN))
    .filter((step) => Number.isFinite(step)).sort((a, b) => a - b);
}

/** Cells of a table of the run; no rows where there is no file. */
export async function readTable(folder: string, name: string): Promise<string[][]> {
  const text = await readIfThere(join(folder, name));
  if (text === undefined) return [];
  try {
    return readCsv(text);
  } catch (error) {
    throw new RunFolderError(
      `Cannot read ${folder}/${name} as it is not a whole CSV table: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** A JSON file of the run; undefined where there is none. */
async function readObject(folder: string, name: string): Promise<unknown> {
  try {
    return await readJson(denoFolder(folder), name);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RunFolderError(error.message, { cause: error });
  }
}
