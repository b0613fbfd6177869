/** `train`: fine-tunes a model on a task, or says what there is and what it would take. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { RunObserver, Summary } from "../../experiment/observer.ts";
import type { PlannedRun } from "../../experiment/plan.ts";
import type { TrainRequest } from "../../experiment/request.ts";
import { listRewards } from "../../rewards/registry.ts";
import { findPreset, listPresets } from "../../experiment/presets/registry.ts";
import { DEFAULT_ALGORITHM, listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { AdapterTuning } from "../../kernels/tuning.ts";
import { type Command, type CommandSpec, type Parsed, UsageError } from "../command.ts";
import { DEVICE, JSON_FLAG, MEMORY, MODEL, ownFolder, QUIET, SEED, seedsHint } from "../flags.ts";
import type { listenForInterrupt } from "../interrupt.ts";
import type { Terminal } from "../terminal.ts";
import { type Catalogue, type Entry, known, requestOf, type RunRequest } from "../train/request.ts";
import { type Ready, readyFor } from "../train/ready.ts";
import { settingsFor } from "../train/settings.ts";
import { DEFAULT_MODEL } from "../../tasks/task.ts";

const FLAGS = {
  algorithm: {
    kind: "text",
    otherwise: `the preset's, else the task's, else ${DEFAULT_ALGORITHM}`,
    doc: "Reinforcement learning algorithm; --help beside it lists its settings",
    group: "What to train",
  },
  reward: {
    kind: "text",
    otherwise: "the task's own",
    unit: "NAME[:WEIGHT],..., NAME or a file (.ts)",
    doc: "Rewards that are summed, each with its weight (1 where absent)",
    group: "What to train",
  },
  model: { ...MODEL, default: undefined, otherwise: `the task's, else ${DEFAULT_MODEL}` },
  preset: {
    kind: "text",
    otherwise: "none",
    doc: "Named set of settings; settings given beside it win",
    group: "What to train",
  },
  steps: {
    kind: "integer",
    otherwise: "the task's own",
    unit: "steps",
    min: 1,
    max: 1_000_000,
    doc: "Training steps; one step is one batch of completions and its updates",
    group: "Run",
  },
  seed: {
    ...SEED,
    doc: `${SEED.doc}; several, 1,2,3, make a sweep`,
    hint: (text) => seedsHint("--seed", text),
  },
  jobs: {
    kind: "integer",
    otherwise: "as many as cores and memory allow",
    unit: "runs",
    min: 1,
    max: 1024,
    doc: "Runs of a sweep that go on at once, a core each",
    group: "Run",
  },
  device: DEVICE,
  memory: MEMORY,
  tuned: {
    kind: "text",
    bare: true,
    otherwise: "the kernels that are built in",
    unit: "file",
    doc:
      "Kernels that deno task tune measured to be fastest; alone: what it kept for this adapter. config.json keeps them, and --resume goes on with them",
    group: "Run",
  },
  "save-every": {
    kind: "integer",
    default: 20,
    unit: "steps",
    min: 1,
    max: 1_000_000,
    doc:
      "Steps between checkpoints; the last 3 are kept, and the best where a run evaluates on its way",
    group: "Run",
  },
  "evaluate-every": {
    kind: "integer",
    default: 0,
    unit: "steps, 0 = only before and after",
    min: 0,
    max: 1_000_000,
    doc: "Steps between greedy answers to held-out prompts; RUN@best names the best checkpoint",
    group: "Run",
  },
  patience: {
    kind: "integer",
    default: 0,
    unit: "evaluations, 0 = off",
    min: 0,
    max: 1_000_000,
    doc: "End the run after so many evaluations, of --evaluate-every, no better than the best",
    group: "Run",
  },
  "skip-players": {
    kind: "boolean",
    default: false,
    doc: "Do not score what players that learn nothing earn, as where each score costs money",
    group: "Run",
  },
  out: {
    kind: "text",
    otherwise: "runs/TASK-ALGORITHM-SEED-TIME",
    ...ownFolder("runs"),
    unit: "folder",
    doc: "Run folder to create",
    group: "Output",
  },
  resume: {
    kind: "text",
    bare: true,
    otherwise: "start anew",
    unit: "run folder",
    doc:
      "Continue a run, which may change its steps and how it updates, or a sweep; alone: the newest unfinished run",
    group: "Run",
  },
  "accept-changed-files": {
    kind: "boolean",
    default: false,
    doc:
      "With --resume: go on with files of your own, or of data, as they are now; the run keeps both texts of your own",
    group: "Run",
  },
  log: {
    kind: "choice",
    default: "none",
    choices: ["none", "tensorboard"],
    doc:
      "Keep the run as an event file too, in its folder: tensorboard --logdir runs; metrics.csv is there always",
    group: "Output",
  },
  list: {
    kind: "boolean",
    default: false,
    doc: "List tasks, algorithms, rewards and presets, and stop",
    group: "Output",
  },
  show: {
    kind: "boolean",
    default: false,
    doc: "Print the preset's settings, source and differences, and stop",
    group: "Output",
  },
  plan: {
    kind: "boolean",
    default: false,
    doc: "Print what device memory the run would take, and stop; needs no weights",
    group: "Output",
  },
  slurm: {
    kind: "boolean",
    default: false,
    doc: "Make a sweep's folder, print a Slurm script of its runs in place of running them",
    group: "Output",
  },
  json: JSON_FLAG,
  quiet: QUIET,
} as const satisfies OptionRows;

/** Values of the command's flags. */
export type TrainFlags = OptionValues<typeof FLAGS>;

/** What the command runs; tests hand in others. */
export interface TrainParts {
  catalogue(): Promise<Catalogue>;
  train(request: RunRequest, observer: RunObserver, signal: AbortSignal): Promise<Summary>;
  plan(request: RunRequest): Promise<PlannedRun>;
  /** What was tuned on this adapter, of a file or "" for the cache. */
  tuned(file: string): Promise<AdapterTuning>;
  /** How the run hears that it should stop. Default: by the signals of the system. */
  listen?: typeof listenForInterrupt;
  /** Is told how far the run is: as it begins, and after each step. Default: nobody. */
  follow?: (step: number, steps: number) => void;
}

/** A request as `experiment/` takes it, with what was read for it. */
const plain = (
  { rewards, resume, task, log: _, ...request }: RunRequest,
  { opened, reward }: Partial<Ready> = {},
): TrainRequest => ({
  ...request,
  task: opened ?? task,
  reward: reward ?? rewards?.map(({ name, weight }) => `${name}:${weight}`).join(),
  resume: resume?.checkpoint,
});

const entry = ({ name, summary }: { name: string; summary: string }): Entry => ({
  name,
  doc: summary,
});

/** Each part is loaded when it is needed: `--help` needs none. What is ready is not opened again. */
const partsWith = (ready?: Ready): TrainParts => ({
  async catalogue() {
    const { listTasks } = await import("../../tasks/registry.ts");
    return {
      tasks: listTasks().map(entry),
      algorithms: listAlgorithms().map(entry),
      rewards: listRewards().map(entry),
      presets: listPresets().map((preset) => ({ ...entry(preset), algorithm: preset.algorithm })),
    };
  },
  async train(request, observer, signal) {
    const { trainTask } = await import("../../experiment/train.ts");
    return await trainTask(plain(request, ready), observer, { signal });
  },
  async plan(request) {
    return await (await import("../../experiment/plan.ts")).planTask(plain(request, ready));
  },
  async tuned(file) {
    const { cacheFile, readTuning, tunedForHere } = await import("../tune/tuning_file.ts");
    const here = await tunedForHere();
    return await readTuning(file || cacheFile(here), here);
  },
});

/** Runs the command; gives the exit code. */
export async function train(
  parsed: Parsed<TrainFlags>,
  terminal: Terminal,
  parts: TrainParts = partsWith(),
  ready?: Ready,
): Promise<number> {
  const { flags } = parsed;
  if (flags["accept-changed-files"] && flags.resume === undefined) {
    throw new UsageError(
      "Cannot take --accept-changed-files without --resume as a new run reads files as they are: " +
        "leave it out",
    );
  }
  const catalogue = await parts.catalogue();
  if (flags.list) {
    const { detailed, showList } = await import("../train/list.ts");
    return showList(await detailed(catalogue), flags.json, terminal);
  }
  if (flags.show) return await show(flags, catalogue, terminal);
  if (flags.plan && flags.resume === undefined) {
    const planned = await parts.plan(
      await requested(parsed, { catalogue, parts, ready }, terminal),
    );
    const { showPlan } = await import("../train/plan.ts");
    return showPlan(planned, flags.json, terminal);
  }
  const asked = flags.resume === undefined
    ? { request: await requested(parsed, { catalogue, parts, ready }, terminal) }
    : await (await import("../train/resume.ts")).resumed(parsed, catalogue, ready);
  const { runTraining } = await import("../train/run.ts");
  const { train, listen, follow } = parts;
  return await runTraining({ ...asked, flags, train, listen, follow }, terminal);
}

/** What is asked for, with all that names in it stand for now. */
async function requested(
  parsed: Parsed<TrainFlags>,
  { catalogue, parts, ready }: { catalogue: Catalogue; parts: TrainParts; ready?: Ready },
  terminal: Terminal,
): Promise<RunRequest> {
  const request = requestOf(parsed, catalogue, ready?.opened?.task);
  const { tuned, device, out } = parsed.flags;
  if (out !== undefined) await (await import("../train/out.ts")).checkOut(out, request);
  if (tuned !== undefined && device === "cpu") {
    throw new UsageError(
      "Cannot run by what was tuned on --device cpu as that has no kernels to choose from: " +
        "leave --tuned out",
    );
  }
  const tuning = tuned === undefined ? undefined : await parts.tuned(tuned);
  return { ...await withModel(request, terminal), ...(tuning && { tuning }) };
}

/** The request with what its model stands for now, so that it can be repeated; says it where it is a run. */
async function withModel(request: RunRequest, terminal: Terminal): Promise<RunRequest> {
  const { namedModel } = await import("../../experiment/folder/named_model.ts");
  const { model, line } = await namedModel(request.model);
  if (line) terminal.err(`model ${line}`);
  return { ...request, model };
}

/** @throws {UsageError} where no preset is named, or one that is not there */
async function show(
  { preset, json }: TrainFlags,
  { presets }: Catalogue,
  terminal: Terminal,
): Promise<number> {
  if (preset === undefined) {
    throw new UsageError(
      `--show needs a preset: --preset NAME.  Presets: ${
        presets.map(({ name }) => name).join(", ")
      }`,
    );
  }
  known("preset", preset, presets);
  const { showPreset } = await import("../train/preset.ts");
  return showPreset(findPreset(preset), json, terminal);
}

const SPEC: CommandSpec = {
  name: "train",
  doc: "Fine-tune a model on a task with reinforcement learning",
  positional: [["[task]", "Task to train on, e.g. colors, or a file: prompts.csv, my_task.ts"]],
  flags: FLAGS,
  settings: settingsFor,
  example: "deno task train colors --seed 2 learningRate=1e-4",
};

/** The command for one run. `told`: how it hears that it should stop, and who hears how far it is. */
export const singleRun = (told: Pick<TrainParts, "listen" | "follow"> = {}): Command => ({
  spec: SPEC,
  run: (parsed, terminal) =>
    train(parsed as Parsed<TrainFlags>, terminal, { ...partsWith(), ...told }),
  async prepare(glance) {
    const ready = glance.flags.list || glance.flags.show ? undefined : await readyFor(glance);
    if (ready === undefined) return singleRun(told);
    const settings: CommandSpec["settings"] = (flags, words) =>
      settingsFor(flags, words, { ready });
    // A run that is resumed is opened with the settings that it began with.
    const parts = glance.flags.resume === undefined ? partsWith(ready) : partsWith();
    return {
      spec: { ...SPEC, settings },
      run: (parsed, terminal) =>
        train(parsed as Parsed<TrainFlags>, terminal, { ...parts, ...told }, ready),
    };
  },
});

/** `deno task train`: one run, or a sweep where several values are given for what one run has one of. */
export const command: Command = {
  ...singleRun(),
  async prepare(glance) {
    const { sweepFor } = await import("../sweep/asked.ts");
    return await sweepFor(glance, singleRun()) ?? await singleRun().prepare!(glance);
  },
};
