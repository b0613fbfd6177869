/**
 * The negative task: a happy sentence, rewritten as a sad one. The prompt is that of Plashchinsky 2025
 * (arXiv:2512.06920); sentences and answers are ours, in data/negative.csv.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import table from "./data/negative.csv" with { type: "text" };
import {
  type AnsweredExample,
  answeredTask,
  readPrompts,
  SETTINGS,
  type Splits,
} from "./prompts.ts";
import type { Task, TaskDefinition } from "./task.ts";

/** The prompt of a sentence. */
export const negativePrompt = (sentence: string): string => `Rewrite this as sad: '${sentence}'`;

/**
 * Reads CSV with the columns `sentence,answer,split`; the id is the sentence.
 * @throws {SyntaxError} what `readPrompts` throws; also for an empty sentence or answer, or an answer that
 * is its sentence
 */
export function parseNegatives(text: string, file: string): Splits<AnsweredExample> {
  return readPrompts(text, {
    file,
    columns: ["sentence", "answer"],
    once: ({ sentence }) => ({
      rule: "a sentence may occur once",
      key: sentence,
      said: `"${sentence}" is`,
    }),
    examples({ sentence, answer }, refuse) {
      if (sentence === "" || answer === "" || sentence === answer) {
        const now = `they are "${sentence}" and "${answer}"`;
        throw refuse(`sentence and answer must be two different texts: ${now}`);
      }
      return [{ id: sentence, prompt: negativePrompt(sentence), answer }];
    },
  });
}

const ABOUT = { name: "negative", summary: "rewrite a happy sentence as a sad one" };

/** 81 prompts to train on, 20 held out. */
export function negative(): Task {
  const file = "tasks/data/negative.csv";
  const about = {
    ...ABOUT,
    model: "small",
    algorithm: "grpo",
    steps: 100,
    settings: { ...SETTINGS, learningRate: 4e-4 },
    maxNewTokens: 16,
    // By vectors' means one sad sentence earns as much for every prompt; by words alone the sentence itself does,
    // with a word left out.
    defaultRewards: "rouge,sentiment:-0.3",
    fits: ["rouge", "semantic", "exact", "sentiment"],
  };
  return answeredTask(about, parseNegatives(table, file), file);
}

/** `negative` by name. */
export const definition: TaskDefinition = {
  ...ABOUT,
  options: defineOptions("the task negative", {}),
  open: negative,
};
