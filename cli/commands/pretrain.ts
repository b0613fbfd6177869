/** `pretrain`: makes a model of the project's own, with progress. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { join } from "node:path";
import type { PretrainResult, PretrainStep } from "../../experiment/pretraining/pretrain.ts";
import type { Command, Parsed } from "../command.ts";
import { DEVICE, JSON_FLAG, ownFolder, QUIET, SEED } from "../flags.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { jsonLine } from "../printable.ts";
import { columns, deviceWords, duration, quoted, short, type Terminal } from "../terminal.ts";

/** How to make a model of the project's own. */
export interface PretrainRequest {
  recipe: string;
  stage: number;
  /** The folder that a later stage continues from. */
  from?: string;
  /** Absent, as the next two: the recipe's own. */
  steps?: number;
  batch?: number;
  learningRate?: number;
  seed: number;
  device: "auto" | "webgpu" | "cpu";
  /** Where the model is written. */
  out: string;
  resume: boolean;
}

/**
 * Pretrains. When `signal` is aborted: finishes the update, saves a
 * checkpoint into `out`, and throws `signal.reason`.
 */
export type PretrainModel = (
  request: PretrainRequest,
  report: (step: PretrainStep) => void,
  signal: AbortSignal,
) => Promise<PretrainResult>;

const fromRecipe: PretrainModel = async (...given) =>
  (await import("../../experiment/pretraining/pretrain.ts")).pretrain(...given);

const FLAGS = {
  recipe: {
    kind: "choice",
    choices: ["tiny", "small"],
    default: "tiny",
    doc: "Which model to make",
    group: "Run",
  },
  stage: {
    kind: "integer",
    default: 1,
    min: 1,
    max: 100,
    doc: "Stage of the recipe; one after the first continues from a model",
    group: "Run",
  },
  from: {
    kind: "text",
    otherwise: "fresh weights",
    unit: "folder",
    doc: "The model of the stage before",
    group: "Run",
  },
  steps: {
    kind: "integer",
    otherwise: "the recipe's own",
    unit: "updates",
    min: 1,
    max: 10_000_000,
    doc: "AdamW updates",
    group: "Run",
  },
  batch: {
    kind: "integer",
    otherwise: "the recipe's own",
    unit: "rows",
    min: 1,
    max: 65536,
    doc: "Rows of text per update",
    group: "Run",
  },
  "learning-rate": {
    kind: "number",
    otherwise: "the recipe's own",
    unit: "per update",
    min: 1e-8,
    max: 1e-1,
    doc: "Peak AdamW learning rate",
    group: "Run",
  },
  seed: SEED,
  device: DEVICE,
  out: {
    kind: "text",
    otherwise: "runs/ and the recipe's name",
    ...ownFolder("runs"),
    unit: "folder",
    doc: "Where the model is written",
    group: "Output",
  },
  resume: {
    kind: "boolean",
    default: false,
    doc: "Continue from the last checkpoint in the folder",
    group: "Run",
  },
  json: JSON_FLAG,
  quiet: QUIET,
} as const satisfies OptionRows;

/** Values of the command's flags. */
export type PretrainFlags = OptionValues<typeof FLAGS>;

/** Runs the command; gives the exit code. Tests hand in another `run`. */
export async function pretrain(
  { flags, given }: Parsed<PretrainFlags>,
  terminal: Terminal,
  run: PretrainModel = fromRecipe,
): Promise<number> {
  const { json, quiet, "learning-rate": learningRate, out = `runs/${flags.recipe}`, ...rest } =
    flags;
  const request: PretrainRequest = { ...rest, learningRate, out };
  const { Bar, Pace } = await import("../progress.ts");
  const bar = new Bar(terminal);
  let pace: InstanceType<typeof Pace> | undefined;
  const report = ({ step, steps, loss, tokens }: PretrainStep) => {
    if (quiet) return;
    if (!pace) {
      pace = new Pace(steps, () => performance.now() / 1000);
      bar.say(row(["step", "loss", "tokens/s", "left"]));
      bar.open(steps, step - 1);
    }
    const { seconds, left, due } = pace.tick(step);
    bar.update(step, left);
    const speed = Number.isFinite(seconds) ? String(Math.round(tokens / seconds)) : "-";
    if (due) bar.say(row([String(step), short(loss), speed, left]));
  };
  using interrupt = listenForInterrupt(terminal);
  try {
    const result = await run(request, report, interrupt.signal);
    bar.close();
    await drawLoss(request.out);
    if (json) terminal.out(jsonLine({ ...result, weights: result.folder }));
    else for (const line of columns(rowsOf(result))) terminal.out(line);
    return 0;
  } catch (error) {
    bar.close();
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error;
    terminal.err(`stopped, saved.  Continue:  deno task pretrain --resume${again(flags, given)}`);
    const said = { code: INTERRUPTED, message: "stopped, saved" };
    if (json) terminal.out(jsonLine({ error: said, folder: request.out }));
    return INTERRUPTED;
  }
}

/** What is printed at the end. */
function rowsOf(result: PretrainResult): string[][] {
  const { device, heldoutLosses, lossOver, seconds, steps } = result;
  const nats = (loss: number) => `${loss.toFixed(3)} nats per token`;
  return [
    ["folder", result.folder],
    ["parameters", String(result.parameters)],
    ["tokens", `${result.tokens} in ${steps} updates; the corpus has ${result.corpusTokens}`],
    ["last loss", nats(result.lastLoss)],
    [`mean of last ${lossOver}`, nats(result.recentLoss)],
    ["held-out loss", `${nats(result.heldoutLoss)}, after update ${result.heldoutStep}`],
    ...(heldoutLosses.length > 1 ? heldoutLosses : []).map(({ subject, loss }) => [
      `  ${subject}`,
      nats(loss),
    ]),
    ["time", `${duration(seconds)} with corpus and evaluation`],
    ["device", deviceWords(device)],
  ];
}

/** A line of progress: cells flush right. */
const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => cell.padStart([6, 8, 9, 9][i])).join(" ");

/** The flags that were given, for the line that continues. */
function again(flags: PretrainFlags, given: readonly string[]): string {
  return Object.entries(flags)
    .filter(([name, value]) => given.includes(name) && name !== "resume" && value !== false)
    .map(([name, value]) => ` --${name}${value === true ? "" : ` ${quoted(String(value))}`}`)
    .join("");
}

/** Draws `loss.csv`, which has the losses from before a resume too. */
async function drawLoss(folder: string): Promise<void> {
  const { readTable } = await import("../../experiment/folder/run_data.ts");
  const [, ...rows] = await readTable(folder, "loss.csv");
  if (rows.length === 0) return;
  const { replaceFile } = await import("../../experiment/folder/files.ts");
  const { lossCurve } = await import("../report/plots.ts");
  const svg = lossCurve(rows.map(([, loss]) => Number(loss)));
  await replaceFile(join(folder, "loss.svg"), svg);
}

/** `deno task pretrain` */
export const command: Command = {
  spec: {
    name: "pretrain",
    doc: "Make a model of the project's own, tiny or small, from its corpus",
    positional: [],
    flags: FLAGS,
    example: "deno task pretrain --out runs/tiny",
  },
  run: pretrain,
};
