/** Reads a run folder back: for the report, for resuming, for comparing. @module */
import { join } from "node:path";
import { readIfThere } from "../../model/files/deno_folder.ts";
import type { ModelSource } from "../../model/hub/find_model.ts";
import type { CompletionRow, RunInfo, Split, Summary } from "../observer.ts";
import {
  completionOf,
  evaluationOf,
  type EvaluationRow,
  readCsv,
  scoreNames,
  wholeRows,
} from "./csv.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { currentName } from "../../rl/metrics.ts";
import type { DataSource } from "../../tasks/task.ts";
import { listFolders } from "./files.ts";
import type { KeptFiles } from "./own_copies.ts";
import { changesOf, readHistory, type RunEvent, settingsAt } from "./history.ts";
import {
  readChecked,
  readObject,
  runConfigSchema,
  RunFolderError,
  summarySchema,
} from "./schemas.ts";
import { completionsFault, metricRows, metricsFault, twiceFault } from "./table_faults.ts";

export { RunFolderError } from "./schemas.ts";

/** What `config.json` holds. */
export interface RunConfig {
  /** Of this run alone, in its checkpoints too; absent in runs of older versions, as their checkpoints have no manifest. */
  id?: string;
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
  device: RunInfo["device"];
  /** The line that repeats the run. */
  command: string;
  /** What was asked for on the command line, for `--resume`. */
  request: Record<string, unknown>;
  /** Every setting as resolved. */
  config: Record<string, unknown>;
  /** Files of the user's own, with copies in the folder; absent where there are none. */
  ownFiles?: KeptFiles;
  /** What its task read, without copies; absent where that is nothing, and in runs of older versions. */
  dataFiles?: readonly DataSource[];
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
  /** Each evaluation; absent in runs of earlier versions. */
  evaluations?: EvaluationRow[];
  summary: Summary | undefined;
  /** Steps that have a checkpoint in the folder, ascending; absent: not looked for. */
  checkpoints?: number[];
  /** What happened to it beside its steps, after which `config` is as at its end; absent: nothing. */
  history?: RunEvent[];
}

/** @throws {RunFolderError} when the folder holds no run, or its `config.json` is not what a run writes */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const config = await readObject(folder, "config.json") as Partial<RunConfig> | null | undefined;
  if (typeof config?.task !== "string") {
    throw new RunFolderError(
      `Cannot read ${folder} as a run folder holds a config.json: ` +
        `${config === undefined ? "there is none" : "its config.json names no task"}. ` +
        "List runs: ls runs",
    );
  }
  return await readChecked(folder, "config.json", runConfigSchema) as RunConfig;
}

/** The summary of a run; undefined where it is not finished. @throws {RunFolderError} for another file */
export const readSummary = async (folder: string): Promise<Summary | undefined> =>
  await readChecked(folder, "summary.json", summarySchema) as Summary | undefined;

/**
 * `metrics.csv` by the names of today, as `RunData` has it.
 * @throws {RunFolderError} when it is not what a run writes, or the run is finished and this is not all of it
 */
export async function readMetrics(
  folder: string,
  algorithm: string,
): Promise<Pick<RunData, "names" | "metrics">> {
  const table = await metricsAsTheyAre(folder, algorithm), summary = await readSummary(folder);
  refuse(folder, "metrics.csv", summary && metricsFault(summary, table.metrics));
  return table;
}

async function metricsAsTheyAre(
  folder: string,
  algorithm: string,
): Promise<Pick<RunData, "names" | "metrics">> {
  const [head = ["step"], ...lines] = await readTable(folder, "metrics.csv");
  const names = head.slice(1).map((name) => currentColumn(name, algorithm));
  refuse(folder, "metrics.csv", twiceFault(names)); // an old name of one that is there too, say
  try {
    return { names, metrics: metricRows(lines, { names, algorithm }) };
  } catch (error) {
    throw new RunFolderError(faultWords(folder, "metrics.csv", (error as Error).message), {
      cause: error,
    });
  }
}

/** @throws {RunFolderError} where something is wrong with a table of the run */
function refuse(folder: string, name: string, fault: string | undefined): void {
  if (fault !== undefined) throw new RunFolderError(faultWords(folder, name, fault));
}

const faultWords = (folder: string, name: string, fault: string): string =>
  `Cannot read ${folder}/${name} as ${fault}. Put it back as the run wrote it`;

/**
 * @param options.isWhole whether what has a summary must have all of its rows: not where a run is continued
 * that had ended. Default true
 * @throws {RunFolderError} when the folder holds no run or a file of it is malformed, or cut off
 */
export async function readRun(
  folder: string,
  { isWhole = true }: { isWhole?: boolean } = {},
): Promise<RunData> {
  const config = await readRunConfig(folder);
  const [title = [], ...texts] = await readTable(folder, "completions.csv");
  const rewards = scoreNames(title);
  const history = await readHistory(folder), summary = await readSummary(folder);
  const table = await metricsAsTheyAre(folder, config.algorithm);
  const completions = texts.map((cells, i) =>
    readRow(folder, "completions.csv", i + 1, () => completionOf(cells, rewards))
  );
  if (isWhole && summary) {
    refuse(folder, "metrics.csv", metricsFault(summary, table.metrics));
    refuse(folder, "completions.csv", completionsFault(summary, { completions, history }));
  }
  return {
    folder,
    config: { ...config, ...valuesAtEnd(config, history) },
    history,
    ...table,
    completions,
    evaluations: await readEvaluations(folder),
    summary,
    checkpoints: await checkpointSteps(folder),
  };
}

/** Every evaluation of a run. @throws {RunFolderError} for a row that no version writes */
export async function readEvaluations(folder: string): Promise<EvaluationRow[]> {
  const [, ...rows] = await readTable(folder, "evaluations.csv");
  return rows.map((cells, i) =>
    readRow(folder, "evaluations.csv", i + 1, () => evaluationOf(cells))
  );
}

/** What of a config was changed when the run was resumed. */
export function valuesAtEnd(
  { config }: RunConfig,
  history: readonly RunEvent[],
): Partial<Pick<RunConfig, "config" | "steps">> {
  const { steps } = changesOf(history);
  return { config: settingsAt(config, history), ...(steps !== undefined && { steps }) };
}

/** @throws {RunFolderError} for a row that no version writes */
function readRow<Row>(folder: string, table: string, row: number, read: () => Row): Row {
  try {
    return read();
  } catch (error) {
    throw new RunFolderError(
      `Cannot read row ${row} of ${folder}/${table}: ${(error as Error).message}. Put it back as ` +
        "the run wrote it",
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

/** Where the checkpoint of a step is; a model's folder too. */
export const checkpointFolder = (run: string, step: number): string =>
  join(run, "checkpoints", `step-${step}`);

/** Steps that have a checkpoint, ascending. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const names = await listFolders(join(folder, "checkpoints"));
  return names.map((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? NaN))
    .filter((step) => Number.isFinite(step)).sort((a, b) => a - b);
}

/**
 * Cells of a table of the run; no rows where there is no file. A row that was cut off amid its writing, as
 * by a kill, is left out.
 * @throws {RunFolderError} for what is no table, or has two columns of one name
 */
export async function readTable(folder: string, name: string): Promise<string[][]> {
  const text = await readIfThere(join(folder, name));
  if (text === undefined) return [];
  let rows: string[][];
  try {
    rows = readCsv(wholeRows(text));
  } catch (error) {
    throw new RunFolderError(
      `Cannot read ${folder}/${name} as it is not a whole CSV table: ${(error as Error).message}`,
      { cause: error },
    );
  }
  refuse(folder, name, twiceFault(rows[0] ?? []));
  return rows;
}
