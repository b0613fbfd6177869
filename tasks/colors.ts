/**
 * The colors task: name what two colours give when mixed. Prompts and ten colours are those of
 * Plashchinsky 2025 (arXiv:2512.06920); answers and held-out pairs are ours, in data/colors.csv.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import table from "./data/colors.csv" with { type: "text" };
import { type AnsweredExample, answeredTask, readPrompts, type Splits } from "./prompts.ts";
import type { Task, TaskDefinition } from "./task.ts";

/** One prompt: an ordered pair, its mixture and its id, which is `a+b`. */
export interface ColorExample extends AnsweredExample {
  a: string;
  b: string;
}

/** The prompt of an ordered pair; the space at its end is part of it. */
export function colorPrompt(a: string, b: string): string {
  return `Mix the two colors and output only one lowercase color name: ${a} and ${b} is => `;
}

/**
 * Reads CSV with the columns `a,b,answer,split`; each row gives both orders of its pair. `file` is the
 * name that errors use.
 * @throws {SyntaxError} what `readPrompts` throws; also for a pair of one colour
 */
export function parseColors(text: string, file: string): Splits<ColorExample> {
  return readPrompts(text, {
    file,
    columns: ["a", "b", "answer"],
    words: ["a", "b", "answer"],
    once: ({ a, b }) => ({
      rule: "a pair may occur once",
      key: [a, b].sort().join("+"),
      said: `${a} and ${b} are`,
    }),
    examples({ a, b, answer }, refuse): ColorExample[] {
      if (a === b) throw refuse(`a and b must differ: both are "${a}"`);
      return [[a, b], [b, a]].map(([x, y]) => (
        { id: `${x}+${y}`, prompt: colorPrompt(x, y), answer, a: x, b: y }
      ));
    },
  });
}

const ABOUT = { name: "colors", summary: "name what two colours give when mixed" };

/** 72 prompts to train on, 18 held out. */
export function colors(): Task {
  const file = "tasks/data/colors.csv";
  const about = { ...ABOUT, maxNewTokens: 2, defaultRewards: "semantic" };
  return answeredTask(about, parseColors(table, file), file);
}

/** `colors` by name. */
export const definition: TaskDefinition = {
  ...ABOUT,
  options: defineOptions("the task colors", {}),
  open: colors,
};
