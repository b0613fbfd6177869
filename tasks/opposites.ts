/**
 * The opposites task: one word for the opposite of another. The prompt is that of Plashchinsky 2025
 * (arXiv:2512.06920); words and answers are ours, in data/opposites.csv.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import table from "./data/opposites.csv" with { type: "text" };
import { answeredTask, readWords } from "./prompts.ts";
import type { Example } from "../rewards/reward.ts";
import type { Task, TaskDefinition } from "./task.ts";

/** The prompt of a word; the space at its end is part of it. */
export const oppositePrompt = (word: string): string => `The opposite of '${word}' is `;

const ABOUT = { name: "opposites", summary: "name the opposite of a word" };

/** 73 prompts to train on, 21 held out. */
export function opposites(): Task {
  const file = "tasks/data/opposites.csv";
  const about = {
    ...ABOUT,
    model: "small",
    maxNewTokens: 3,
    subject: ({ id }: Example) => id,
    defaultRewards: "semantic",
    fits: ["semantic", "exact", "first_word"],
  };
  return answeredTask(about, readWords(table, file, oppositePrompt), file);
}

/** `opposites` by name. */
export const definition: TaskDefinition = {
  ...ABOUT,
  options: defineOptions("the task opposites", {}),
  open: opposites,
};
