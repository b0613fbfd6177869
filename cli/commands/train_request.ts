/** What `train` is asked for: from the words of a command line, or from a run that is resumed. @module */
import type { OptionValue } from "../../base/options.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { listFolder } from "../../experiment/folder/files.ts";
import type { DeviceChoice } from "../../kernels/devices/open.ts";
import { parseRewards, type RewardTerm } from "../../rewards/parse.ts";
import { DEFAULT_ALGORITHM } from "../../rl/algorithms/registry.ts";
import type { Parsed } from "../command.ts";
import { didYouMean, quoted, UsageError } from "../values.ts";

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
  /** GiB of device memory that it may take. Absent: what is free, where that is known. */
  memory?: number;
  /** Steps between checkpoints. */
  saveEvery: number;
  /** Those that were given; the others keep the task's value. */
  settings: Readonly<Record<string, OptionValue>>;
  /** Continue from this checkpoint, which `RunObserver.checkpoint` wrote after `step` steps. */
  resume?: { checkpoint: string; step: number };
}

/** Flags that may stand beside --resume. */
const WITH_RESUME = new Set(["resume", "memory", "json", "quiet"]);

/** The request that flags and settings make. @throws {UsageError} for a name that is not there */
export function requestOf(
  { positional, flags, settings }: Parsed,
  catalogue: Catalogue,
): RunRequest {
  const [task] = positional;
  if (task === undefined) {
    throw new UsageError(`train needs a task.  Tasks: ${namesOf(catalogue.tasks).join(", ")}`);
  }
  known("task", task, catalogue.tasks);
  const { algorithm, preset } = flags as Record<string, string | undefined>;
  if (algorithm !== undefined) known("algorithm", algorithm, catalogue.algorithms);
  if (preset !== undefined) known("preset", preset, catalogue.presets);
  const ofPreset = catalogue.presets.find(({ name }) => name === preset)?.algorithm;
  return {
    task,
    algorithm: algorithm ?? ofPreset ?? DEFAULT_ALGORITHM,
    rewards: flags.reward === undefined ? undefined : rewardsOf(flags.reward as string, catalogue),
    model: flags.model as string,
    preset,
    steps: flags.steps as number | undefined,
    seed: flags.seed as number,
    device: flags.device as DeviceChoice,
    memory: flags.memory as number | undefined,
    saveEvery: flags["save-every"] as number,
    settings,
  };
}

/** Reads `semantic:0.5,exact`. */
function rewardsOf(text: string, catalogue: Catalogue): RewardTerm[] {
  try {
    return parseRewards(text, namesOf(catalogue.rewards));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const namesOf = (entries: readonly Entry[]): string[] => entries.map(({ name }) => name);

function known(kind: string, name: string, entries: readonly Entry[]): void {
  const names = namesOf(entries);
  if (names.includes(name)) return;
  throw new UsageError(
    `no ${kind} "${name}".${didYouMean(name, names)}  ` +
      `${kind[0].toUpperCase()}${kind.slice(1)}s: ${names.join(", ") || "none"}`,
  );
}

/** Finds the run to continue, and its last checkpoint. */
export async function resumed(parsed: Parsed): Promise<
  { request: RunRequest; resume: { folder: string; step: number } }
> {
  const refused = [...parsed.given.filter((name) => !WITH_RESUME.has(name)).map((n) => `--${n}`)];
  refused.push(...Object.keys(parsed.settings));
  if (refused.length > 0) {
    throw new UsageError(
      `Cannot change ${refused.join(", ")} on --resume as a run continues as it began; ` +
        "start a new run to change it",
    );
  }
  const { resume } = parsed.flags;
  const folder = typeof resume === "string"
    ? resume.replace(/\/+$/, "")
    : await newestUnfinished(parsed.positional[0]);
  if ((await listFolder(folder).catch(() => [])).length === 0) {
    throw new UsageError(
      `no run folder "${folder}".${
        didYouMean(folder, (await listFolder("runs")).map((n) => `runs/${n}`))
      }`,
    );
  }
  const run = await readRun(folder);
  if (run.summary) {
    throw new UsageError(`Cannot resume ${folder} as the run is finished: it has a summary.json`);
  }
  const step = (await checkpointSteps(folder)).at(-1);
  if (step === undefined) {
    throw new UsageError(
      `Cannot resume ${folder} as it has no checkpoint yet. Start again: ${run.config.command}`,
    );
  }
  const checkpoint = `${folder}/checkpoints/step-${step}`;
  const request = {
    ...run.config.request as unknown as RunRequest,
    ...(parsed.flags.memory !== undefined && { memory: parsed.flags.memory as number }),
    resume: { checkpoint, step },
  };
  return { request, resume: { folder, step } };
}

async function newestUnfinished(task: string | undefined): Promise<string> {
  let newest: string | undefined, latest = -Infinity;
  for (const name of await listFolder("runs")) {
    const folder = `runs/${name}`;
    if (task !== undefined && !name.startsWith(`${task}-`)) continue;
    if ((await checkpointSteps(folder)).length === 0) continue;
    if ((await listFolder(folder)).includes("summary.json")) continue;
    const time = (await Deno.stat(`${folder}/checkpoints`)).mtime?.getTime() ?? 0;
    if (time > latest) [newest, latest] = [folder, time];
  }
  if (newest === undefined) {
    throw new UsageError("no unfinished run with a checkpoint in runs. Start one: deno task train");
  }
  return newest;
}

/** The line that repeats a request. */
export function commandOf(request: RunRequest): string {
  const parts = ["deno task train", request.task, `--algorithm ${request.algorithm}`];
  if (request.rewards) {
    const names = request.rewards.map(({ name, weight }) =>
      weight === 1 ? name : `${name}:${weight}`
    );
    parts.push(`--reward ${names.join(",")}`);
  }
  parts.push(`--model ${quoted(request.model)}`);
  if (request.preset !== undefined) parts.push(`--preset ${request.preset}`);
  if (request.steps !== undefined) parts.push(`--steps ${request.steps}`);
  parts.push(`--seed ${request.seed}`, `--device ${request.device}`);
  if (request.memory !== undefined) parts.push(`--memory ${request.memory}`);
  for (const [key, value] of Object.entries(request.settings)) parts.push(`${key}=${value}`);
  return parts.join(" ");
}
