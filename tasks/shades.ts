/**
 * The shades task, the harder sister of colors: name what three colours give when mixed. The prompt is in
 * the style of colors; the answers follow from data/colors.csv by the rule that data/README.md states.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import table from "./data/shades.csv" with { type: "text" };
import { type AnsweredExample, answeredTask, readPrompts, type Splits } from "./prompts.ts";
import type { Task, TaskDefinition } from "./task.ts";

/** One prompt: an ordered set of three, its mixture and its id, which is `a+b+c`. */
export interface ShadeExample extends AnsweredExample {
  a: string;
  b: string;
  c: string;
}

/** The prompt of three colours in order; the space at its end is part of it. */
export const shadePrompt = (a: string, b: string, c: string): string =>
  `Mix the three colors and output only one lowercase color name: ${a} and ${b} and ${c} is => `;

/**
 * Reads CSV with the columns `a,b,c,answer,split`; each row gives the orders abc, bca and cab.
 * @throws {SyntaxError} what `readPrompts` throws; also where two of the three are one colour
 */
export function parseShades(text: string, file: string): Splits<ShadeExample> {
  return readPrompts(text, {
    file,
    columns: ["a", "b", "c", "answer"],
    words: ["a", "b", "c", "answer"],
    once: ({ a, b, c }) => ({
      rule: "three colours may occur once together",
      key: [a, b, c].sort().join("+"),
      said: `${a}, ${b} and ${c} are`,
    }),
    examples({ a, b, c, answer }, refuse): ShadeExample[] {
      if (new Set([a, b, c]).size < 3) {
        throw refuse(`a, b and c must differ: they are "${a}", "${b}" and "${c}"`);
      }
      return [[a, b, c], [b, c, a], [c, a, b]].map(([x, y, z]) => (
        { id: `${x}+${y}+${z}`, prompt: shadePrompt(x, y, z), answer, a: x, b: y, c: z }
      ));
    },
  });
}

const ABOUT = { name: "shades", summary: "name what three colours give when mixed" };

/** 288 prompts to train on, 72 held out. */
export function shades(): Task {
  const file = "tasks/data/shades.csv";
  const about = {
    ...ABOUT,
    model: "small",
    maxNewTokens: 2,
    defaultRewards: "semantic",
    fits: ["semantic", "exact", "first_word"],
  };
  return answeredTask(about, parseShades(table, file), file);
}

/** `shades` by name. */
export const definition: TaskDefinition = {
  ...ABOUT,
  options: defineOptions("the task shades", {}),
  open: shades,
};
