/** `train`: checks the request, watches the run, prints what came of it. @module */
import { parseRewards, type RewardTerm } from "../../rewards/parse.ts";
import type { RunObserver } from "../../experiment/observer.ts";
import { listFolder } from "../../experiment/folder/files.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import type { TrainSettings } from "../options.ts";
import type { Parsed } from "../parse.ts";
import type { Catalogue, Entry, Programs, TrainRequest } from "../programs.ts";
import { showPlan } from "./plan.ts";
import { Progress } from "../progress.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import { closing } from "../report/table.ts";
import { columns, type Terminal } from "../terminal.ts";
import { didYouMean, quoted, UsageError } from "../values.ts";

const WITH_RESUME = new Set(["resume", "memory", "json", "quiet"]);

/** Runs the command; gives the exit code. */
export async function train(
  parsed: Parsed,
  programs: Pick<Programs, "catalogue" | "train" | "plan">,
  terminal: Terminal,
): Promise<number> {
  const { flags } = parsed;
  const catalogue = await programs.catalogue();
  if (flags.list) return list(catalogue, flags.json === true, terminal);
  if (flags.plan && flags.resume === undefined) {
    const plan = await programs.plan();
    return showPlan(await plan(requestOf(parsed, catalogue)), flags.json === true, terminal);
  }
  const { request, resume } = flags.resume === undefined
    ? { request: requestOf(parsed, catalogue), resume: undefined }
    : await resumed(parsed);
  const folder = new RunFolder({
    out: flags.out as string | undefined,
    resume,
    command: commandOf(request),
    request: { ...request, resume: undefined },
  });
  const progress = flags.quiet ? undefined : new Progress(terminal, () => folder.folder);
  const run = await programs.train();
  using interrupt = listenForInterrupt(terminal);
  try {
    const summary = await run(request, watch(folder, progress), interrupt.signal);
    const lines = closing(await readRun(folder.folder), terminal);
    for (const line of lines) flags.json ? terminal.err(line) : terminal.out(line);
    if (flags.json) terminal.out(JSON.stringify(summary));
    return 0;
  } catch (error) {
    progress?.close();
    // What follows must not hide the error itself, e.g. a full disk.
    await folder.close().catch(() => {});
    if (folder.saved !== undefined) {
      const stopped = interrupt.signal.aborted && error === interrupt.signal.reason;
      terminal.err(
        `${stopped ? "stopped at" : "saved up to"} step ${folder.saved}.  ` +
          `Continue:  deno task train --resume ${quoted(folder.folder)}`,
      );
      if (stopped) return INTERRUPTED;
    }
    throw error;
  }
}

/** The request that flags and settings make. @throws {UsageError} for a name that is not there */
export function requestOf(
  { positional, flags, settings }: Parsed,
  catalogue: Catalogue,
): TrainRequest {
  const [task] = positional;
  if (task === undefined) {
    throw new UsageError(`train needs a task.  Tasks: ${namesOf(catalogue.tasks).join(", ")}`);
  }
  known("task", task, catalogue.tasks);
  known("algorithm", flags.algorithm as string, catalogue.algorithms);
  if (flags.preset !== undefined) known("preset", flags.preset as string, catalogue.presets);
  return {
    task,
    algorithm: flags.algorithm as string,
    rewards: flags.reward === undefined ? undefined : rewardsOf(flags.reward as string, catalogue),
    model: flags.model as string,
    preset: flags.preset as string | undefined,
    steps: flags.steps as number | undefined,
    seed: flags.seed as number,
    device: flags.device as TrainRequest["device"],
    memory: flags.memory as number | undefined,
    saveEvery: flags["save-every"] as number,
    settings: settings as Partial<TrainSettings>,
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

/** Finds the run to go on with, and its last checkpoint. */
async function resumed(parsed: Parsed): Promise<
  { request: TrainRequest; resume: { folder: string; step: number } }
> {
  const refused = [...parsed.given.filter((name) => !WITH_RESUME.has(name)).map((n) => `--${n}`)];
  refused.push(...Object.keys(parsed.settings));
  if (refused.length > 0) {
    throw new UsageError(
      `Cannot change ${refused.join(", ")} on --resume as a run goes on as it began; ` +
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
    ...run.config.request as unknown as TrainRequest,
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
export function commandOf(request: TrainRequest): string {
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

/** The folder first, so that what the terminal speaks of is on disk. */
export function watch(folder: RunObserver, progress: Progress | undefined): RunObserver {
  return {
    async start(info) {
      await folder.start(info);
      progress?.start(info);
    },
    phase: (text) => progress?.phase(text),
    async step(step, metrics, completions) {
      await folder.step(step, metrics, completions);
      progress?.step(step, metrics, completions);
      // A policy on the CPU never waits; without a turn of the event loop Ctrl-C would not arrive.
      await new Promise((resolve) => setTimeout(resolve, 0));
    },
    async evaluation(phase, completions) {
      await folder.evaluation(phase, completions);
      progress?.evaluation();
    },
    checkpoint: (step, write) => folder.checkpoint(step, write),
    async end(summary) {
      progress?.close();
      await folder.end(summary);
    },
  };
}

function list(catalogue: Catalogue, json: boolean, terminal: Terminal): number {
  if (json) {
    terminal.out(JSON.stringify(catalogue));
    return 0;
  }
  for (const [kind, entries] of Object.entries(catalogue) as [string, readonly Entry[]][]) {
    terminal.out(`${kind}:`);
    const rows = entries.map(({ name, doc }) => [`  ${name}`, doc]);
    for (const line of rows.length > 0 ? columns(rows) : ["  none"]) terminal.out(line);
  }
  return 0;
}
