/** `generate`: completes one prompt, and shows a single completion as it comes. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { CompletedText, CompletionRequest } from "../../experiment/complete.ts";
import { type Command, type Parsed, UsageError } from "../command.ts";
import { DEVICE, JSON_FLAG, MEMORY, MODEL, SEED } from "../flags.ts";
import { jsonLine } from "../printable.ts";
import { printableLines, type Terminal } from "../terminal.ts";

/** Completes a prompt; `report` receives pieces of the completions as they come. */
export type CompleteText = (
  request: CompletionRequest,
  report?: (text: string, row: number) => void,
) => Promise<CompletedText>;

const byModel: CompleteText = async (...given) =>
  (await import("../../experiment/complete.ts")).completeText(...given);

const FLAGS = {
  model: { ...MODEL, doc: "Model to ask", group: "Model" },
  tokens: {
    kind: "integer",
    default: 32,
    unit: "tokens",
    min: 1,
    max: 1024,
    doc: "Longest completion, end-of-text included",
    group: "Sampling",
  },
  temperature: {
    kind: "number",
    default: 0,
    unit: "0 = most probable token",
    min: 0,
    max: 10,
    doc: "Divides the logits before a token is drawn",
    group: "Sampling",
  },
  "top-k": {
    kind: "integer",
    default: 0,
    unit: "tokens, 0 = all",
    min: 0,
    max: 4294967295,
    doc: "Draws from so many of the most probable tokens",
    group: "Sampling",
  },
  "top-p": {
    kind: "number",
    default: 1,
    unit: "share, 1 = all",
    min: 0,
    max: 1,
    doc: "Draws from the most probable tokens that together hold this share of the probability",
    group: "Sampling",
  },
  "min-p": {
    kind: "number",
    default: 0,
    unit: "share, 0 = all",
    min: 0,
    max: 1,
    doc: "Draws from tokens at least this share as probable as the best one",
    group: "Sampling",
  },
  "repetition-penalty": {
    kind: "number",
    default: 1,
    unit: "1 = none",
    min: 0,
    above: true,
    max: 100,
    usual: "1 to 1.5",
    doc: "Makes tokens that the prompt or the completion has already less probable",
    group: "Sampling",
  },
  stop: {
    kind: "text",
    otherwise: "end-of-text alone",
    unit: "text",
    doc: "Ends a completion where this text comes, and leaves it out",
    group: "Sampling",
  },
  samples: {
    kind: "integer",
    default: 1,
    unit: "completions",
    min: 1,
    max: 1024,
    doc: "Completions per prompt",
    group: "Sampling",
  },
  seed: { ...SEED, doc: "Key of the random numbers" },
  device: DEVICE,
  memory: MEMORY,
  json: JSON_FLAG,
} as const satisfies OptionRows;

/** Runs the command; gives the exit code. Tests hand in another `run`. */
export async function generate(
  { positional: [prompt], flags, given }: Parsed<OptionValues<typeof FLAGS>>,
  terminal: Terminal,
  run: CompleteText = byModel,
): Promise<number> {
  const drawn = given.find((name) => ["top-k", "top-p", "min-p"].includes(name)) ??
    (flags.samples > 1 ? `samples ${flags.samples}` : undefined);
  if (drawn && flags.temperature === 0) {
    throw new UsageError(
      `Cannot use --${drawn} as nothing is drawn: --temperature is 0; set it, e.g. to 1`,
    );
  }
  const {
    json,
    model: asked,
    "top-k": topK,
    "top-p": topP,
    "min-p": minP,
    "repetition-penalty": repetitionPenalty,
    ...rest
  } = flags;
  const { namedModel } = await import("../../experiment/folder/named_model.ts");
  const { model, line } = await namedModel(asked);
  if (line) terminal.err(`model ${line}`);
  const request: CompletionRequest = {
    prompt,
    model,
    ...rest,
    topK,
    topP,
    minP,
    repetitionPenalty,
  };
  if (!json && request.samples === 1) {
    let begun = false;
    const show = (text: string): void => {
      terminal.write(printableLines(begun ? text : request.prompt + text));
      begun = true;
    };
    await run(request, show);
    if (!begun) show("");
    terminal.write("\n");
    return 0;
  }
  const done = await run(request);
  if (json) terminal.out(jsonLine({ ...request, ...done }));
  else {
    for (const text of done.completions) {
      terminal.write(`${printableLines(request.prompt + text)}\n`);
    }
  }
  return 0;
}

/** `deno task generate` */
export const command: Command = {
  spec: {
    name: "generate",
    doc: "Complete a prompt",
    positional: [["<prompt>", "Text to continue"]],
    flags: FLAGS,
    example: 'deno task generate "red and blue make"',
  },
  run: generate,
};
