/**
 * The analogies task: the fourth word of an analogy, where several may be right. The form is that of a
 * published notebook on GRPO with GPT-Neo; the analogies are ours, in data/analogies.csv.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import table from "./data/analogies.csv" with { type: "text" };
import {
  type AnsweredExample,
  answeredTask,
  readAnswers,
  readPrompts,
  type Splits,
} from "./prompts.ts";
import type { Task, TaskDefinition } from "./task.ts";

/** One prompt; its id is `a:b::c`. */
export interface AnalogyExample extends AnsweredExample {
  /** What both pairs have in common, in one word. */
  relation: string;
  a: string;
  b: string;
  c: string;
  /** What is right beside the answer; may be empty. */
  accepted: readonly string[];
}

/** The prompt of an analogy; no space stands at its end. */
export const analogyPrompt = (a: string, b: string, c: string): string =>
  `${a} is to ${b} as ${c} is to`;

/**
 * Reads CSV with the columns `relation,a,b,c,answers,split`, the answers with a vertical bar between.
 * @throws {SyntaxError} what `readPrompts` and `readAnswers` throw
 */
export function parseAnalogies(text: string, file: string): Splits<AnalogyExample> {
  return readPrompts(text, {
    file,
    columns: ["relation", "a", "b", "c", "answers"],
    words: ["relation", "a", "b", "c"],
    once: ({ a, b, c }) => ({
      rule: "an analogy may occur once",
      key: `${a}:${b}::${c}`,
      said: `${a}, ${b} and ${c} are`,
    }),
    examples({ relation, a, b, c, answers }, refuse): AnalogyExample[] {
      const found = readAnswers(answers, { not: c, refuse });
      const prompt = analogyPrompt(a, b, c);
      return [{ id: `${a}:${b}::${c}`, prompt, ...found, relation, a, b, c }];
    },
  });
}

const ABOUT = { name: "analogies", summary: "find the fourth word of an analogy" };

/** 84 prompts to train on, 21 held out. */
export function analogies(): Task {
  const file = "tasks/data/analogies.csv";
  const about = {
    ...ABOUT,
    model: "small",
    algorithm: "grpo",
    maxNewTokens: 3,
    defaultRewards: "first_word",
    fits: ["first_word", "semantic", "exact"],
  };
  return answeredTask(about, parseAnalogies(table, file), file);
}

/** `analogies` by name. */
export const definition: TaskDefinition = {
  ...ABOUT,
  options: defineOptions("the task analogies", {}),
  open: analogies,
};
