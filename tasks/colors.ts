/**
 * The colors task: name what two colours give when mixed. Prompts and ten colours are those of
 * Plashchinsky 2025 (arXiv:2512.06920); answers and held-out pairs are ours, in data/colors.csv.
 * @module
 */
import { csvError, readCsv } from "../base/csv.ts";
import { defineOptions } from "../base/options.ts";
import { tableParent } from "../rewards/parents/table.ts";
import type { Example } from "../rewards/reward.ts";
import table from "./data/colors.csv" with { type: "text" };
import type { Task, TaskDefinition } from "./task.ts";

/** One prompt: an ordered pair, its mixture and its id, which is `a+b`. */
export interface ColorExample extends Example {
  answer: string;
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
 * @throws SyntaxError, with file and line, for broken CSV, a word that is not a-z, a pair of one
 * colour or given twice, a split that is neither train nor heldout, or a split without rows.
 */
export function parseColors(
  text: string,
  file: string,
): { train: ColorExample[]; heldout: ColorExample[] } {
  const examples = { train: [] as ColorExample[], heldout: [] as ColorExample[] };
  const seen = new Map<string, number>();
  const rows = readCsv(text, { file, columns: ["a", "b", "answer", "split"] });
  for (const { line, values: { a, b, answer, split } } of rows) {
    for (const word of [a, b, answer]) {
      if (!/^[a-z]+$/.test(word)) {
        throw csvError(file, line, `a, b and answer must be lower-case words: "${word}" is not`);
      }
    }
    if (a === b) throw csvError(file, line, `a and b must differ: both are "${a}"`);
    if (split !== "train" && split !== "heldout") {
      throw csvError(file, line, `split must be train or heldout: it is "${split}"`);
    }
    const pair = [a, b].sort().join("+");
    const before = seen.get(pair);
    if (before !== undefined) {
      throw csvError(file, line, `a pair may occur once: ${a} and ${b} are on line ${before} too`);
    }
    seen.set(pair, line);
    for (const [x, y] of [[a, b], [b, a]]) {
      examples[split].push({ id: `${x}+${y}`, prompt: colorPrompt(x, y), answer, a: x, b: y });
    }
  }
  for (const split of ["train", "heldout"] as const) {
    if (examples[split].length === 0) {
      throw csvError(file, rows[rows.length - 1].line, `both splits need rows: ${split} has none`);
    }
  }
  return examples;
}

const ABOUT = { name: "colors", summary: "name what two colours give when mixed" };

/** 72 prompts to train on, 18 held out. */
export function colors(): Task {
  const examples = parseColors(table, "tasks/data/colors.csv");
  const all = [...examples.train, ...examples.heldout];
  return {
    ...ABOUT,
    examples,
    maxNewTokens: 2,
    defaultRewards: "semantic",
    steps: 40,
    settings: {
      batchSize: 48,
      maxGradNorm: 1,
      epochs: 2,
      learningRate: 2e-4, // for a model of 0.9 M parameters; GPT-2's size wants less
      learningRateSchedule: "linear",
      klCoefficient: 0.05,
      klControl: "fixed",
    },
    parent: tableParent(new Map(all.map(({ id, answer }) => [id, answer])), "colors.csv"),
  };
}

/** `colors` by name. */
export const definition: TaskDefinition = {
  ...ABOUT,
  options: defineOptions("the task colors", {}),
  open: colors,
};
