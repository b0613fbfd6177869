/**
 * The math task: worded arithmetic. Its problems are made here, in four levels, or read from a file: GSM8K
 * (Cobbe et al. 2021, arXiv:2110.14168), or what reasoning-gym writes.
 * @module
 */
import { shown } from "../base/excerpt.ts";
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
} from "../base/options.ts";
import { dataOption, DRAW, drawExamples, openData } from "./files.ts";
import { makeProblems } from "./math/problems.ts";
import type { Example } from "../rewards/reward.ts";
import { type AnsweredExample, answeredTask, type Splits } from "./prompts.ts";
import { readRecords } from "./records/read.ts";
import { type DataRecord, recordError, textIn } from "./records/record.ts";
import type { Task, TaskContext, TaskDefinition } from "./task.ts";

// deno-fmt-ignore
const ROWS = {
  data: dataOption("problems that are made here", "question and answer, such as GSM8K"),
  level: { kind: "integer", default: 1, min: 1, max: 4, doc: "problems that are made: 1 a step with numbers below 10, 2 below 100, 3 two steps, 4 three", group: "Task" },
  ...DRAW,
  tags: { kind: "boolean", default: false, doc: "ask for <reasoning> and <answer> in place of the number alone", group: "Task" },
} as const satisfies OptionRows;

/** Settings of `math`. */
export type MathSettings = OptionValues<typeof ROWS>;
const OPTIONS: OptionTable<MathSettings> = defineOptions("the task math", ROWS);

/** One problem; of a file its worked solution and its metadata too, where it has them. */
export interface MathExample extends AnsweredExample {
  question: string;
}

const TAGS = "Think step by step between <reasoning> and </reasoning>, " +
  "then write the number alone between <answer> and </answer>.";

/** The prompt of a question; no space stands at its end. */
export const mathPrompt = (question: string, tags = false): string =>
  tags ? `${question}\n${TAGS}\n` : `${question}\nAnswer:`;

/**
 * The number that an answer gives, as JSON writes numbers: that behind `####`, where it has that, else all
 * of it. Commas, a currency before and a full stop or a per cent sign behind are left out.
 * undefined where that is no number.
 */
export function answerNumber(answer: unknown): string | undefined {
  if (typeof answer !== "string" && typeof answer !== "number") return undefined;
  const text = String(answer), at = text.lastIndexOf("####");
  const last = (at < 0 ? text : text.slice(at + 4)).trim();
  const found = /^(-?)[$€£]? ?(-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?|-?\.\d+) ?%?\.?$/.exec(last);
  if (!found) return undefined;
  const number = Number(found[1] + found[2].replaceAll(",", ""));
  return Math.abs(number) <= Number.MAX_SAFE_INTEGER ? String(number) : undefined;
}

/** A worked solution without the calculator's marks and its last line. */
export const solutionText = (answer: string): string =>
  answer.replace(/<<[^<>]*>>/g, "").replace(/\n?####[^]*$/, "").trim();

/** @throws {SyntaxError} for a record without a question, or whose answer is no number */
function exampleOf(record: DataRecord, id: string, tags: boolean): MathExample {
  const question = textIn(record, "question").trim();
  const { answer, metadata } = record.values;
  const number = answerNumber(answer);
  if (number === undefined) {
    const rule = "answer must be a number, or end in #### and one";
    throw recordError(record, `${rule}: it is ${shown(answer, 60)}; take the row out`);
  }
  return {
    id,
    prompt: mathPrompt(question, tags),
    answer: number,
    question,
    ...(typeof answer === "string" && answer.includes("####") &&
      { solution: solutionText(answer) }),
    ...(metadata !== undefined && { metadata }),
  };
}

const ABOUT = { name: "math", summary: "solve a worded problem: the number is the answer" };

function mathTask(
  examples: Splits<MathExample>,
  { tags, file, notices = [], idle = {} }:
    & { tags: boolean; file: string }
    & Pick<Task, "notices" | "idle">,
): Task {
  const about = {
    ...{ ...ABOUT, notices, idle },
    model: "small",
    algorithm: "grpo",
    steps: 60,
    maxNewTokens: tags ? 96 : 8,
    subject: ({ question }: Example) => String(question).match(/\d[\d,.]*/g)?.at(-1) ?? "",
    defaultRewards: tags ? "numeric_hard,format" : "numeric_hard",
    fits: ["numeric_hard", "numeric_soft", "format", "exact", "perplexity"],
  };
  return answeredTask(about, examples, file);
}

/** Problems that are made: at once, as nothing is read. */
function made({ level, count, splitSeed: seed, tags }: MathSettings): Task {
  const problems = makeProblems({ level, count, seed });
  const examples = (split: "train" | "heldout") =>
    problems[split].map(({ question, answer, sum, newForm }, i): MathExample => ({
      id: `level ${level} ${split} ${i + 1}`,
      prompt: mathPrompt(question, tags),
      answer: String(answer),
      ...{ question, sum, newForm },
    }));
  const splits = { train: examples("train"), heldout: examples("heldout") };
  return mathTask(splits, { tags, file: "problems" });
}

async function read(data: string, settings: MathSettings, context: TaskContext): Promise<Task> {
  const { tags } = settings, files = await openData(data, context);
  const wanted = { needs: ["question", "answer"], may: ["metadata", "split"] };
  const records = await readRecords(files, wanted);
  const make = (record: DataRecord, id: string) => exampleOf(record, id, tags);
  const { examples, notices, ...drawn } = drawExamples(records, make, settings);
  const idle = { level: "the problems are those of data", ...drawn.idle };
  return mathTask(examples, { tags, file: records[0].file, notices, idle });
}

/** `math` by name. */
export const definition: TaskDefinition<MathSettings> = {
  ...ABOUT,
  options: OPTIONS,
  open: (settings, context) =>
    settings.data === undefined ? made(settings) : read(settings.data, settings, context),
};
