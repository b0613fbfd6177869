/**
 * The categories task: one word for the kind of thing that a noun names. The prompt is that of
 * Plashchinsky 2025 (arXiv:2512.06920); nouns and answers are ours, in data/categories.csv.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import table from "./data/categories.csv" with { type: "text" };
import { answeredTask, readWords } from "./prompts.ts";
import type { Task, TaskDefinition } from "./task.ts";

/** The prompt of a noun. */
export const categoryPrompt = (word: string): string =>
  `What category does this word belong to: '${word}'?`;

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
  return answeredTask(about, readWords(table, file, categoryPrompt), file);
}

/** `categories` by name. */
export const definition: TaskDefinition = {
  ...ABOUT,
  options: defineOptions("the task categories", {}),
  open: categories,
};
