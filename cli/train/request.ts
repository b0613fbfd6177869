/** What `train` is asked for in the words of a command line, and the line that asks for it again. @module */
import { didYouMean } from "../../base/names.ts";
import type { OptionValue } from "../../base/options.ts";
import { isPath } from "../../base/own_file.ts";
import { hostsIn, trainCommand } from "../../experiment/servers.ts";
import type { DeviceChoice } from "../../kernels/devices/open.ts";
import type { AdapterTuning } from "../../kernels/tuning.ts";
import { parseRewards, type RewardTerm } from "../../rewards/parse.ts";
import { DEFAULT_ALGORITHM } from "../../rl/algorithms/registry.ts";
import { DEFAULT_MODEL, type Task } from "../../tasks/task.ts";
import { type Parsed, UsageError } from "../command.ts";
import type { TrainFlags } from "../commands/train.ts";
import { quoted } from "../terminal.ts";

/** A name that can be asked for, with one line about it. */
export interface Entry {
  name: string;
  doc: string;
}

/** What `train --list` shows, and what names are checked against. */
export interface Catalogue {
  tasks: readonly Entry[];
  algorithms: readonly Entry[];
  rewards: readonly Entry[];
  presets: readonly (Entry & { algorithm: string })[];
}

/** A training run as asked for; plain JSON, kept in config.json. */
export interface RunRequest {
  /** Name, or the path of a file. */
  task: string;
  algorithm: string;
  /** Absent: the task's own. */
  rewards?: RewardTerm[];
  model: string;
  preset?: string;
  /** Absent: the task's own. */
  steps?: number;
  seed: number;
  device: DeviceChoice;
  /** What was tuned on the adapter. Absent: kernels are as built in. */
  tuning?: AdapterTuning;
  /** GiB of device memory that it may take. Absent: what is free, where that is known. */
  memory?: number;
  /** Steps between checkpoints. */
  saveEvery: number;
  /** Steps between evaluations; 0: none. Absent, as the next, in runs of earlier versions. */
  evaluateEvery?: number;
  /** Evaluations without a better one that end the run; 0: none do. */
  patience?: number;
  /** False where players that learn nothing are not scored. Absent: they are. */
  players?: boolean;
  /** What it is written as beside its folder's tables. Absent, as in runs of earlier versions: none. */
  log?: TrainFlags["log"];
  /** Those that were given; the others keep the task's value. */
  settings: Readonly<Record<string, OptionValue>>;
  /** Continue from this checkpoint, which `RunObserver.checkpoint` wrote after `step` steps. */
  resume?: { checkpoint: string; step: number };
  /** What whoever resumes changes, see `TrainRequest.changed`. */
  changed?: readonly string[];
  /** What the run that is resumed has, see `TrainRequest.kept`. */
  kept?: Readonly<Record<string, OptionValue>>;
  /** Commits of data sets that it read, see `TrainRequest.dataCommits`. */
  dataCommits?: Readonly<Record<string, string>>;
}

/** What a task decides where the command line says nothing. */
export type TaskDefaults = Pick<Task, "model" | "algorithm">;

/**
 * The request that flags and settings make.
 * @param ofTask what the task decides, where it was opened
 * @throws {UsageError} for a name that is not there
 */
export function requestOf(
  { positional: [task], flags, settings }: Parsed<TrainFlags>,
  catalogue: Catalogue,
  ofTask?: TaskDefaults,
): RunRequest {
  if (task === undefined) {
    throw new UsageError(
      `train needs a task.  Tasks: ${namesOf(catalogue.tasks).join(", ")}, or a file (.csv, .ts)`,
    );
  }
  if (!isPath(task)) known("task", task, catalogue.tasks);
  const algorithm = algorithmOf(flags, { ...catalogue, task: ofTask });
  if (flags.preset !== undefined) known("preset", flags.preset, catalogue.presets);
  return {
    task,
    algorithm,
    rewards: flags.reward === undefined ? undefined : rewardsOf(flags.reward, catalogue),
    model: flags.model ?? ofTask?.model ?? DEFAULT_MODEL,
    preset: flags.preset,
    steps: flags.steps,
    seed: flags.seed,
    device: flags.device,
    memory: flags.memory,
    saveEvery: flags["save-every"],
    ...(flags["evaluate-every"] > 0 && { evaluateEvery: flags["evaluate-every"] }),
    ...(flags.patience > 0 && { patience: flags.patience }),
    ...(flags["skip-players"] && { players: false }),
    ...(flags.log !== "none" && { log: flags.log }),
    settings,
  };
}

/** The algorithm asked for, else the preset's, else the task's, else the default. @throws {UsageError} for an unknown one */
export function algorithmOf(
  { algorithm, preset }: { algorithm?: string; preset?: string },
  { algorithms, presets, task }: {
    algorithms: readonly { name: string }[];
    presets: readonly { name: string; algorithm: string }[];
    task?: TaskDefaults;
  },
): string {
  if (algorithm !== undefined) known("algorithm", algorithm, algorithms);
  return algorithm ?? presets.find(({ name }) => name === preset)?.algorithm ?? task?.algorithm ??
    DEFAULT_ALGORITHM;
}

/** Reads `semantic:0.5,exact`. */
function rewardsOf(text: string, catalogue: Catalogue): RewardTerm[] {
  try {
    return parseRewards(text, namesOf(catalogue.rewards));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const namesOf = (entries: readonly { name: string }[]): string[] => entries.map(({ name }) => name);

/** @throws {UsageError} for a name that no entry has, with the nearest one */
export function known(kind: string, name: string, entries: readonly { name: string }[]): void {
  const names = namesOf(entries);
  if (names.includes(name)) return;
  throw new UsageError(
    `no ${kind} "${name}".${didYouMean(name, names)}  ` +
      `${kind[0].toUpperCase()}${kind.slice(1)}s: ${names.join(", ") || "none"}`,
  );
}

/** The line that repeats a request. */
export function commandOf(request: RunRequest): string {
  const parts = [
    trainCommand(hostsIn(request.settings)),
    quoted(request.task),
    `--algorithm ${request.algorithm}`,
  ];
  if (request.rewards) {
    const names = request.rewards.map(({ name, weight }) =>
      weight === 1 ? name : `${name}:${weight}`
    );
    parts.push(`--reward ${quoted(names.join(","))}`);
  }
  parts.push(`--model ${quoted(request.model)}`);
  if (request.preset !== undefined) parts.push(`--preset ${request.preset}`);
  if (request.steps !== undefined) parts.push(`--steps ${request.steps}`);
  parts.push(`--seed ${request.seed}`, `--device ${request.device}`);
  if (request.tuning) parts.push("--tuned");
  if (request.evaluateEvery) parts.push(`--evaluate-every ${request.evaluateEvery}`);
  if (request.patience) parts.push(`--patience ${request.patience}`);
  if (request.players === false) parts.push("--skip-players");
  if (request.log && request.log !== "none") parts.push(`--log ${request.log}`);
  if (request.memory !== undefined) parts.push(`--memory ${request.memory}`);
  for (const [key, value] of Object.entries(request.settings)) {
    parts.push(`${key}=${quoted(String(value))}`);
  }
  return parts.join(" ");
}
