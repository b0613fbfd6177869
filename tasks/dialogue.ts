/**
 * The dialogue task: reply to an everyday request. Requests and replies are ours, in data/dialogue.csv; a
 * file in Alpaca's form (instruction, input, output; Taori et al. 2023) is read in their place.
 * @module
 */
import { shown } from "../base/excerpt.ts";
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
} from "../base/options.ts";
import table from "./data/dialogue.csv" with { type: "text" };
import { dataOption, DRAW, drawExamples, openData } from "./files.ts";
import { type AnsweredExample, answeredTask } from "./prompts.ts";
import { readRecords } from "./records/read.ts";
import { type DataRecord, recordError, textIn } from "./records/record.ts";
import { readText } from "./records/text.ts";
import type { Task, TaskContext, TaskDefinition } from "./task.ts";

const ROWS = {
  data: dataOption("requests that come along", "instruction, input and output, such as Alpaca"),
  ...DRAW,
} as const satisfies OptionRows;

/** Settings of `dialogue`. */
export type DialogueSettings = OptionValues<typeof ROWS>;
const OPTIONS: OptionTable<DialogueSettings> = defineOptions("the task dialogue", ROWS);

/** The prompt of a request, and of what it is about, which may be empty. */
export const dialoguePrompt = (instruction: string, input = ""): string =>
  `${instruction}${input === "" ? "" : `\n\nInput: ${input}`}\nReply:`;

const WANTED = { needs: ["instruction", "output"], may: ["input", "split"] };

/** @throws {SyntaxError} for a record whose columns are not texts; an output may be empty */
function exampleOf(record: DataRecord, id: string): AnsweredExample {
  const instruction = textIn(record, "instruction").trim();
  const { input, output } = record.values;
  for (const [column, value] of Object.entries({ input: input ?? "", output })) {
    if (typeof value === "string") continue;
    throw recordError(record, `${column} must be a text: it is ${shown(value, 60)}`);
  }
  const about = String(input ?? "").trim();
  const prompt = dialoguePrompt(instruction, about);
  return { id, prompt, answer: String(output).trim(), instruction, input: about };
}

const ABOUT = { name: "dialogue", summary: "reply to an everyday request" };

function taskOf(records: DataRecord[], settings: DialogueSettings): Task {
  const { examples, notices, idle } = drawExamples(records, exampleOf, settings);
  const about = {
    ...ABOUT,
    notices,
    idle,
    model: "small",
    algorithm: "grpo",
    steps: 60,
    maxNewTokens: 40,
    defaultRewards: "rouge", // by vectors' means one reply earns more than answers do
    fits: [
      ...["rouge", "semantic", "judge_soft", "judge_hard", "perplexity"],
      ...["length", "repetition", "contains"],
    ],
    measure: "rouge",
  };
  return answeredTask(about, examples, records[0].file);
}

const read = async (data: string, settings: DialogueSettings, context: TaskContext) =>
  taskOf(await readRecords(await openData(data, context), WANTED), settings);

/** 96 prompts to train on, 24 held out, where no file is named. */
export const definition: TaskDefinition<DialogueSettings> = {
  ...ABOUT,
  options: OPTIONS,
  open: (settings, context) =>
    settings.data === undefined
      ? taskOf(readText({ name: "tasks/data/dialogue.csv", text: table }, WANTED), settings)
      : read(settings.data, settings, context),
};
