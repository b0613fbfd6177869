/**
 * The imdb task: continue a film review kindly. Beginnings are ours, in data/reviews.csv; a file with the
 * columns of IMDB (text, label; Maas et al. 2011) is read in their place, of which prompts are first words.
 * @module
 */
import { shown } from "../base/excerpt.ts";
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
} from "../base/options.ts";
import type { Example } from "../rewards/reward.ts";
import table from "./data/reviews.csv" with { type: "text" };
import { dataOption, DRAW, drawExamples, openData } from "./files.ts";
import { answeredTask, SETTINGS } from "./prompts.ts";
import { readRecords } from "./records/read.ts";
import { type DataRecord, recordError, textIn } from "./records/record.ts";
import { readText } from "./records/text.ts";
import type { Task, TaskContext, TaskDefinition } from "./task.ts";

const FILE_WORDS = 16;

// deno-fmt-ignore
const ROWS = {
  data: dataOption("beginnings that come along", "text and label, such as IMDB"),
  promptWords: { kind: "integer", min: 1, max: 1000, otherwise: `${FILE_WORDS} of a file's reviews, all of the beginnings that come along`, unit: "words", usual: "4 to 100", doc: "words of a review that are its prompt", group: "Task" },
  ...DRAW,
} as const satisfies OptionRows;

/** Settings of `imdb`. */
export type ImdbSettings = OptionValues<typeof ROWS>;
const OPTIONS: OptionTable<ImdbSettings> = defineOptions("the task imdb", ROWS);

/** The first words of a review, its line breaks made spaces. */
export const reviewPrompt = (text: string, words = Infinity): string =>
  text.replace(/<br\s*\/?>/gi, " ").trim().split(/\s+/).slice(0, words).join(" ");

/** 1 kind, 0 unkind; -1 for a review without a label. @throws {SyntaxError} for anything else */
function labelOf(record: DataRecord): number {
  const { label } = record.values, known = [-1, 0, 1].find((one) => String(one) === String(label));
  if (known !== undefined) return known;
  const rule = "label must be 1 (kind), 0 (unkind) or -1 (unknown)";
  throw recordError(record, `${rule}: it is ${shown(label, 40)}`);
}

const ABOUT = { name: "imdb", summary: "continue the beginning of a film review kindly" };
const WANTED = { needs: ["text", "label"], may: ["split"] };

function taskOf(records: DataRecord[], words: number, settings: ImdbSettings): Task {
  const make = (record: DataRecord, id: string): Example | undefined => {
    const label = labelOf(record), prompt = reviewPrompt(textIn(record, "text"), words);
    if (prompt === "") {
      throw recordError(record, "text must have words: it is nothing but tags; take the row out");
    }
    return label === -1 ? undefined : { id, prompt, label };
  };
  const { examples, notices, idle } = drawExamples(records, make, settings);
  const about = {
    ...ABOUT,
    notices,
    idle,
    model: "small",
    steps: 60,
    settings: { ...SETTINGS, klCoefficient: 0.01 }, // 0.05 a nat outweighs what 32 tokens can earn
    maxNewTokens: 32,
    defaultRewards: "sentiment",
    fits: ["sentiment", "perplexity", "length", "repetition"],
    measure: "sentiment",
  };
  return answeredTask(about, examples, records[0].file);
}

async function read(data: string, settings: ImdbSettings, context: TaskContext): Promise<Task> {
  const records = await readRecords(await openData(data, context), WANTED);
  return taskOf(records, settings.promptWords ?? FILE_WORDS, settings);
}

/** 196 prompts to train on, 48 held out, where no file is named. */
export const definition: TaskDefinition<ImdbSettings> = {
  ...ABOUT,
  options: OPTIONS,
  open(settings, context) {
    if (settings.data !== undefined) return read(settings.data, settings, context);
    const records = readText({ name: "tasks/data/reviews.csv", text: table }, WANTED);
    return taskOf(records, settings.promptWords ?? Infinity, settings);
  },
};
