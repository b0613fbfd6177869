/**
 * The categories task: one word for the kind of thing that a noun names. The prompt is that of
 * Plashchinsky 2025 (arXiv:2512.06920); nouns and answers are ours, in data/categories.csv.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import table from "./data/categories.csv" with { type: "text" };
import {
  type AnsweredExample,
  answeredTask,
  readAnswers,
  readPrompts,
  type Splits,
} from "./prompts.ts";
import type { Task, TaskDefinition } from "./task.ts";

/** The prompt of a noun. */
export const categoryPrompt = (word: string): string =>
  `What category does this word belong to: '${word}'?`;

/**
 * Reads CSV with the columns `word,answer,further,split`; the id is the word.
 * @throws {SyntaxError} what `readPrompts` and `readAnswers` throw
 */
export function parseCategories(text: string, file: string): Splits<AnsweredExample> {
  return readPrompts(text, {
    file,
    columns: ["word", "answer", "further"],
    words: ["word", "answer"],
    once: ({ word }) => ({ rule: "a word may occur once", key: word, said: `${word} is` }),
    examples({ word, answer, further }, refuse) {
      const answers = readAnswers(`${answer}|${further}`, { not: word, refuse });
      return [{ id: word, prompt: categoryPrompt(word), ...answers }];
    },
  });
}

const ABOUT = { name: "categories", summary: "name the category of a noun" };

/** 81 prompts to train on, 19 held out. */
export function categories(): Task {
  const file = "tasks/data/categories.csv";
  const about = {
    ...ABOUT,
    model: "small",
    maxNewTokens: 2,
    defaultRewards: "semantic",
    fits: ["semantic", "exact", "first_word"],
  };
  return answeredTask(about, parseCategories(table, file), file);
}

/** `categories` by name. */
export const definition: TaskDefinition = {
  ...ABOUT,
  options: defineOptions("the task categories", {}),
  open: categories,
};
