/** `eval`: a run's policy, or a model, beside what it began as, on the same prompts. @module */
import { join } from "node:path";
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { EvalOptions, EvalRequest, EvalResult } from "../../experiment/eval/eval.ts";
import { EVAL_FIELD_ROWS } from "../../experiment/eval/settings.ts";
import type { Command, Parsed } from "../command.ts";
import { evalReady, evalSettings } from "../eval/settings.ts";
import { DEVICE, JSON_FLAG, MEMORY, ownFolder, QUIET } from "../flags.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { jsonLine } from "../printable.ts";
import { deviceWords, duration, paint, printable, type Terminal } from "../terminal.ts";
import { wrap } from "../wrap.ts";

/** Compares two models. */
export type Evaluate = (request: EvalRequest, options: EvalOptions) => Promise<EvalResult>;

const withModels: Evaluate = async (...given) =>
  (await import("../../experiment/eval/eval.ts")).evaluateAgainstBase(...given);

const FLAGS = {
  step: {
    kind: "integer",
    otherwise: "the run's last",
    unit: "step",
    min: 0,
    max: 1_000_000,
    doc: "Checkpoint of the run to take; RUN@best names its best",
    group: "What to evaluate",
  },
  base: {
    kind: "text",
    otherwise: "what the run began with",
    unit: "tiny, small, a run, RUN@best, a folder, or a fetched OWNER/NAME[@REVISION]",
    doc: "Model to compare with; a model that is no run needs one",
    group: "What to evaluate",
  },
  reward: {
    kind: "text",
    otherwise: "the run's on its own task, else the task's",
    unit: "NAME[:WEIGHT],..., NAME or a file (.ts)",
    doc: "Rewards that score the answers",
    group: "What to evaluate",
  },
  ...EVAL_FIELD_ROWS,
  device: DEVICE,
  memory: MEMORY,
  out: {
    kind: "text",
    otherwise: "evals/NAME-TASK-TIME",
    ...ownFolder("evals"),
    unit: "folder",
    doc: "Folder to create, for every answer and the summary",
    group: "Output",
  },
  json: JSON_FLAG,
  quiet: QUIET,
} as const satisfies OptionRows;

type EvalFlags = OptionValues<typeof FLAGS>;

/** Runs the command; gives the exit code. Tests hand in another `evaluate`. */
export async function evalCommand(
  { positional: [model, task], flags, settings }: Parsed<EvalFlags>,
  terminal: Terminal,
  evaluate: Evaluate = withModels,
): Promise<number> {
  const { evalFolder, EVAL_TABLE, requirePlace, writeEval } = await import(
    "../../experiment/folder/eval_folder.ts"
  );
  const { out, json, quiet, ...rest } = flags;
  if (out !== undefined) await requirePlace(join(out, "."));
  const shown = await watching(terminal, quiet);
  using interrupt = listenForInterrupt({ err: (line) => shown.notice(line) }, "batch");
  const watched = { ...shown, signal: interrupt.signal };
  let result: EvalResult;
  try {
    result = await evaluate({ ...rest, model, task, settings }, watched);
  } catch (error) {
    shown.close();
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error;
    terminal.err("stopped; nothing was written");
    return INTERRUPTED;
  }
  shown.close();
  const name = await folderName(model, flags.step);
  const folder = out === undefined ? await evalFolder(name, result.summary.task) : join(out, ".");
  await writeEval(folder, result);
  const { evalLines } = await import("../eval/show.ts");
  const table = join(folder, EVAL_TABLE), say = json ? terminal.err : terminal.out;
  for (const line of evalLines(result, terminal)) say(line);
  for (const path of [table, join(folder, "summary.json")]) say(printable(path)); // whole, to be copied
  if (json) terminal.out(jsonLine({ ...result.summary, folder, table }));
  return 0;
}

/** What the folder is called by: of a run its name, and a step where one was asked for. */
async function folderName(model: string, step: number | undefined): Promise<string> {
  const { namedCheckpoint } = await import("../../experiment/folder/named_checkpoint.ts");
  return (await namedCheckpoint(model, { step, action: "evaluate" })).name;
}

type Watching = Required<Pick<EvalOptions, "start" | "notice" | "progress">> & { close(): void };

/** A bar where the terminal has one; elsewhere a line for each tenth of the answers. */
async function watching(terminal: Terminal, quiet: boolean): Promise<Watching> {
  const { Bar } = await import("../progress.ts");
  const bar = new Bar(terminal, "  {bar} {value}/{total} answers  left {left}");
  const began = performance.now();
  let tenths = 0, isOpen = false;
  const say = (text: string) => {
    for (const line of wrap(printable(text), terminal.columns)) {
      bar.say(paint(terminal, "dim", line));
    }
  };
  return {
    start: (_plan, device) => quiet || say(deviceWords(device)),
    notice: say,
    progress(given, of) {
      if (quiet) return;
      if (!isOpen) bar.open(of, 0);
      isOpen = true;
      bar.update(given, duration((performance.now() - began) / 1000 * (of - given) / given));
      if (terminal.fancy || Math.floor(10 * given / of) === tenths) return;
      tenths = Math.floor(10 * given / of);
      say(`${given} of ${of} answers`);
    },
    close: () => bar.close(),
  };
}

/** `deno task eval` */
export const command: Command = {
  spec: {
    name: "eval",
    doc: "Compare a run's policy, or a model, with what it began as, on held-out prompts",
    positional: [
      [
        "<run|model>",
        "A run folder, RUN@best, tiny, small, a model folder, or a fetched OWNER/NAME",
      ],
      ["[task]", "Task to ask, e.g. colors, or a file; the run's own where it is left out"],
    ],
    flags: FLAGS,
    settings: () => evalSettings(),
    example: "deno task eval runs/RUN --samples 8",
  },
  run: evalCommand,
  async prepare(glance) {
    const ready = await evalReady(glance);
    return { ...command, spec: { ...command.spec, settings: () => evalSettings(ready) } };
  },
};
