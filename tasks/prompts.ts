/** Reads a table of prompts that ships with the project, and makes a task of it. @module */
import { csvError, readCsv } from "../base/csv.ts";
import { tableParent } from "../rewards/parents/table.ts";
import type { Example } from "../rewards/reward.ts";
import type { Task } from "./task.ts";

/** An example that has an answer. */
export interface AnsweredExample extends Example {
  answer: string;
}

/** Examples by split. */
export interface Splits<E extends Example = Example> {
  train: E[];
  heldout: E[];
}

/** What a row must have, and what it gives. */
export interface PromptRows<Column extends string, E extends Example> {
  /** The name that errors use. */
  file: string;
  columns: readonly Column[];
  /** Columns that hold one lower-case word each. */
  words?: readonly Column[];
  /** What of a row no other row may have, and how an error says it: `red and blue are`. */
  once(values: Record<Column, string>): { rule: string; key: string; said: string };
  /** The examples of a row. `refuse` gives the error for what breaks a rule of the table's own. */
  examples(values: Record<Column, string>, refuse: (why: string) => Error): E[];
}

const LISTED = new Intl.ListFormat("en-GB"); // a, b and answer

/**
 * Reads CSV with these columns and `split`.
 * @throws {SyntaxError} with file and line, for broken CSV, a word that is not a-z, a row given twice, a
 * split that is neither train nor heldout, or a split without rows
 */
export function readPrompts<Column extends string, E extends Example>(
  text: string,
  { file, columns, words = [], once, examples }: PromptRows<Column, E>,
): Splits<E> {
  const splits: Splits<E> = { train: [], heldout: [] };
  const seen = new Map<string, number>();
  const rows = readCsv(text, { file, columns: [...columns, "split"] as const });
  for (const { line, values } of rows) {
    const refuse = (why: string) => csvError(file, line, why);
    for (const column of words) {
      if (/^[a-z]+$/.test(values[column])) continue;
      const one = words.length === 1 ? "a lower-case word" : "lower-case words";
      throw refuse(`${LISTED.format(words)} must be ${one}: "${values[column]}" is not`);
    }
    const { split } = values;
    if (split !== "train" && split !== "heldout") {
      throw refuse(`split must be train or heldout: it is "${split}"`);
    }
    const made = examples(values, refuse);
    const { rule, key, said } = once(values);
    const before = seen.get(key);
    if (before !== undefined) throw refuse(`${rule}: ${said} on line ${before} too`);
    seen.set(key, line);
    splits[split].push(...made);
  }
  for (const split of ["train", "heldout"] as const) {
    if (splits[split].length > 0) continue;
    throw csvError(file, rows[rows.length - 1].line, `both splits need rows: ${split} has none`);
  }
  return splits;
}

/**
 * The words of a field with a vertical bar between ("fin|fins"), of which the first is the answer and the
 * rest count as right beside it.
 * @throws what `refuse` gives where they are not different lower-case words, or one is `not`
 */
export function readAnswers(
  field: string,
  { not, refuse }: { not: string; refuse: (why: string) => Error },
): { answer: string; accepted: string[] } {
  const words = field.split("|").filter((word) => word !== "");
  const [answer, ...accepted] = words;
  const sound = new Set([not, ...words]).size === words.length + 1;
  if (answer !== undefined && sound && words.every((word) => /^[a-z]+$/.test(word))) {
    return { answer, accepted };
  }
  const rule = `answers must be different lower-case words, none of them "${not}"`;
  throw refuse(`${rule}: they are "${words.join("|")}"`);
}

/**
 * Reads CSV with the columns `word,answer,further,split`: one prompt a word, whose id is the word.
 * @throws {SyntaxError} what `readPrompts` and `readAnswers` throw
 */
export function readWords(
  text: string,
  file: string,
  promptOf: (word: string) => string,
): Splits<AnsweredExample> {
  return readPrompts(text, {
    file,
    columns: ["word", "answer", "further"],
    words: ["word", "answer"],
    once: ({ word }) => ({ rule: "a word may occur once", key: word, said: `${word} is` }),
    examples({ word, answer, further }, refuse) {
      const answers = readAnswers(`${answer}|${further}`, { not: word, refuse });
      return [{ id: word, prompt: promptOf(word), ...answers }];
    },
  });
}

/** What a task with settings like those of colors says of itself. */
type About =
  & Pick<Task, "name" | "summary" | "maxNewTokens" | "defaultRewards">
  & Partial<
    Pick<
      Task,
      "model" | "algorithm" | "fits" | "measure" | "steps" | "settings" | "notices" | "idle"
    >
  >;

/** Settings that suit colors, from which tasks begin. */
export const SETTINGS = {
  batchSize: 48,
  maxGradNorm: 1,
  epochs: 2,
  learningRate: 2e-4, // for a model of 0.9 M parameters; GPT-2's size wants less
  learningRateSchedule: "linear",
  klCoefficient: 0.05,
  klControl: "fixed",
} as const;

/** The task whose parent gives the answers of its examples. */
export function answeredTask(about: About, examples: Splits<Example>, file: string): Task {
  const answers = new Map<string, string>();
  for (const { id, answer } of [...examples.train, ...examples.heldout]) {
    if (answer !== undefined) answers.set(id, answer);
  }
  return {
    steps: 40,
    settings: SETTINGS,
    ...about,
    examples,
    parent: tableParent(answers, file.replace(/^.*\//, "")),
  };
}
