/** `train`: checks the request, watches the run, prints what came of it. @module */
import type { OptionRows } from "../../base/options.ts";
import { readRun } from "../../experiment/folder/run_data.ts";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import type { RunObserver, Summary } from "../../experiment/observer.ts";
import type { PlannedRun } from "../../experiment/plan.ts";
import type { TrainRequest } from "../../experiment/request.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { listRewards } from "../../rewards/registry.ts";
import { listPresets } from "../../rl/algorithms/presets.ts";
import { DEFAULT_ALGORITHM, findAlgorithm, listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { Command, Flags, Parsed } from "../command.ts";
import { DEVICE, JSON_FLAG, MEMORY, MODEL, QUIET, SEED } from "../flags.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { Progress } from "../progress.ts";
import { drawRun } from "../report/draw.ts";
import { closing } from "../report/table.ts";
import { columns, type Terminal } from "../terminal.ts";
import { quoted } from "../values.ts";
import { showPlan } from "./plan.ts";
import {
  type Catalogue,
  commandOf,
  type Entry,
  requestOf,
  resumed,
  type RunRequest,
} from "./train_request.ts";

/** What the command runs; tests hand in others. */
export interface TrainParts {
  catalogue(): Promise<Catalogue>;
  train(request: RunRequest, observer: RunObserver, signal: AbortSignal): Promise<Summary>;
  plan(request: RunRequest): Promise<PlannedRun>;
}

/** A request as `experiment/` takes it. */
const plain = ({ rewards, resume, ...request }: RunRequest): TrainRequest => ({
  ...request,
  reward: rewards?.map(({ name, weight }) => `${name}:${weight}`).join(),
  resume: resume?.checkpoint,
});

const entry = ({ name, summary }: { name: string; summary: string }): Entry => ({
  name,
  doc: summary,
});

/** Each part is loaded when it is needed: `--help` needs none. */
const PARTS: TrainParts = {
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
    return await trainTask(plain(request), observer, { signal });
  },
  async plan(request) {
    return await (await import("../../experiment/plan.ts")).planTask(plain(request));
  },
};

/** Runs the command; gives the exit code. */
export async function train(
  parsed: Parsed,
  terminal: Terminal,
  parts: TrainParts = PARTS,
): Promise<number> {
  const { flags } = parsed;
  const catalogue = await parts.catalogue();
  if (flags.list) return list(catalogue, flags.json === true, terminal);
  if (flags.plan && flags.resume === undefined) {
    const planned = await parts.plan(requestOf(parsed, catalogue));
    return showPlan(planned, flags.json === true, terminal);
  }
  const { request, resume } = flags.resume === undefined
    ? { request: requestOf(parsed, catalogue), resume: undefined }
    : await resumed(parsed);
  const folder = new RunFolder({
    out: flags.out as string | undefined,
    resume,
    command: commandOf(request),
    request: { ...request, resume: undefined },
    draw: drawRun,
  });
  const progress = flags.quiet ? undefined : new Progress(terminal, () => folder.folder);
  using interrupt = listenForInterrupt(terminal);
  try {
    const summary = await parts.train(request, watch(folder, progress), interrupt.signal);
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

/** The folder first, so that what the terminal speaks of is on disk. */
export function watch(folder: RunObserver, progress: Progress | undefined): RunObserver {
  return {
    async start(info) {
      await folder.start(info);
      progress?.start(info);
    },
    notice: (text) => progress?.notice(text),
    async step(report) {
      await folder.step(report);
      progress?.step(report);
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

const FLAGS = {
  algorithm: {
    kind: "text",
    otherwise: `the preset's, else ${DEFAULT_ALGORITHM}`,
    doc: "Reinforcement learning algorithm; --help beside it lists its settings",
    group: "What to train",
  },
  reward: {
    kind: "text",
    otherwise: "the task's own",
    unit: "NAME[:WEIGHT],...",
    doc: "Rewards that are summed, each with its weight (1 where absent)",
    group: "What to train",
  },
  model: MODEL,
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
  seed: SEED,
  device: DEVICE,
  memory: MEMORY,
  "save-every": {
    kind: "integer",
    default: 20,
    unit: "steps",
    min: 1,
    max: 1_000_000,
    doc: "Steps between checkpoints; the last 3 are kept",
    group: "Run",
  },
  out: {
    kind: "text",
    otherwise: "runs/TASK-ALGORITHM-SEED-TIME",
    unit: "folder",
    doc: "Run folder to create",
    group: "Output",
  },
  resume: {
    kind: "text",
    bare: true,
    otherwise: "start anew",
    unit: "run folder",
    doc: "Continue from a run's last checkpoint; without a folder, the newest unfinished run",
    group: "Run",
  },
  list: {
    kind: "boolean",
    default: false,
    doc: "List tasks, algorithms, rewards and presets, and stop",
    group: "Output",
  },
  plan: {
    kind: "boolean",
    default: false,
    doc: "Print what device memory the run would take, and stop; needs no weights",
    group: "Output",
  },
  json: JSON_FLAG,
  quiet: QUIET,
} as const satisfies Flags;

/** The settings of the algorithm that the words name, else of the default one. */
export function settingsFor(args: readonly string[]): OptionRows {
  const words = args.flatMap((word) => word.split("=", 2));
  const given = (flag: string) => words[words.indexOf(flag) + 1];
  const preset = words.includes("--preset")
    ? listPresets().find(({ name }) => name === given("--preset"))
    : undefined;
  const name = words.includes("--algorithm") ? given("--algorithm") : preset?.algorithm;
  const isThere = listAlgorithms().some((algorithm) => algorithm.name === name);
  return settingsTable(findAlgorithm(isThere ? name! : DEFAULT_ALGORITHM)).rows;
}

/** `deno task train` */
export const command: Command = {
  spec: {
    name: "train",
    doc: "Fine-tune a model on a task with reinforcement learning",
    positional: [["[task]", "Task to train on, e.g. colors"]],
    flags: FLAGS,
    settings: settingsFor,
    example: "deno task train colors --seed 2 learningRate=1e-4",
  },
  run: train,
};
