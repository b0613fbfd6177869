/**
 * The copy task: write a sentence again, letter for letter. The prompt is that of Plashchinsky 2025
 * (arXiv:2512.06920); sentences are ours, in data/copy.csv.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import table from "./data/copy.csv" with { type: "text" };
import { type AnsweredExample, answeredTask, readPrompts, type Splits } from "./prompts.ts";
import type { Task, TaskDefinition } from "./task.ts";

/** The prompt of a sentence. */
export const copyPrompt = (sentence: string): string => `Copy this sentence: '${sentence}'`;

/**
 * Reads CSV with the columns `sentence,split`; the id and the answer are the sentence.
 * @throws {SyntaxError} what `readPrompts` throws; also for a sentence that is empty or has a quotation
 * mark, as it stands between two
 */
export function parseCopies(text: string, file: string): Splits<AnsweredExample> {
  return readPrompts(text, {
    file,
    columns: ["sentence"],
    once: ({ sentence }) => ({
      rule: "a sentence may occur once",
      key: sentence,
      said: `"${sentence}" is`,
    }),
    examples({ sentence }, refuse) {
      if (!/^[^'"]+$/.test(sentence)) {
        throw refuse(`sentence must be a text without quotation marks: it is "${sentence}"`);
      }
      return [{ id: sentence, prompt: copyPrompt(sentence), answer: sentence }];
    },
  });
}

const ABOUT = { name: "copy", summary: "write a sentence again, letter for letter" };

/** 80 prompts to train on, 20 held out. */
export function copy(): Task {
  const file = "tasks/data/copy.csv";
  const about = {
    ...ABOUT,
    model: "small",
    algorithm: "grpo",
    steps: 60,
    maxNewTokens: 12,
    defaultRewards: "rouge", // vectors' means do not know one order of words from another
    fits: ["rouge", "semantic", "exact"],
  };
  return answeredTask(about, parseCopies(table, file), file);
}

/** `copy` by name. */
export const definition: TaskDefinition = {
  ...ABOUT,
  options: defineOptions("the task copy", {}),
  open: copy,
};
