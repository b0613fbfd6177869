/**
 * Tables as CSV (RFC 4180). Text cells that a spreadsheet would run as a formula are written behind an
 * apostrophe, and so are cells that begin with one: to read a text cell, drop one leading apostrophe.
 * Numbers are never changed. (OWASP ASVS 1.2.10)
 * @module
 */
import { parse } from "npm:csv-parse@7.0.3/sync";
import { stringify } from "npm:csv-stringify@6.9.0/sync";
import { type CompletionRow, parsePhase, phaseText } from "../observer.ts";

const RISKY = /^['=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]/;

/** A text cell that no spreadsheet runs. */
export const guard = (text: string): string => {
  const whole = text.toWellFormed();
  return RISKY.test(whole) ? `'${whole}` : whole;
};

/** The text that `guard` was given (but for lone surrogates, which no file can hold). */
export const unguard = (cell: string): string => cell.startsWith("'") ? cell.slice(1) : cell;

/** Numbers as JavaScript prints them; an empty cell for null and for what is not finite. */
export const numberCell = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? "" : Object.is(value, -0) ? "0" : String(value);

/** Lines with a line feed each. */
export const csvLines = (rows: readonly (readonly string[])[]): string =>
  stringify(rows as string[][], { record_delimiter: "unix" });

/** Rows of cells. */
export const readCsv = (text: string): string[][] =>
  parse(text, { relax_column_count: false, skip_empty_lines: true }) as string[][];

const FIXED = ["step", "phase", "id", "prompt", "completion", "answer", "reward"];

/** First line of completions.csv. */
export const completionHeader = (rewards: readonly string[]): string[] => [
  ...FIXED,
  ...rewards.map((name) => `score:${name}`),
];

/** The rewards that a header of completions.csv names. */
export const scoreNames = (header: readonly string[]): string[] =>
  header.slice(FIXED.length).map((name) => name.replace(/^score:/, ""));

/** One line of completions.csv. */
export const completionCells = (row: CompletionRow, rewards: readonly string[]): string[] => [
  String(row.step),
  guard(phaseText(row)),
  guard(row.id),
  guard(row.prompt),
  guard(row.completion),
  guard(row.answer),
  numberCell(row.reward),
  ...rewards.map((name) => numberCell(row.scores[name] ?? null)),
];

/** The row that `completionCells` was given. */
export function completionOf(cells: readonly string[], rewards: readonly string[]): CompletionRow {
  const [step, phase, id, prompt, completion, answer, reward, ...scores] = cells;
  const number = (cell: string) => cell === "" ? null : Number(cell);
  return {
    step: Number(step),
    ...parsePhase(unguard(phase)),
    id: unguard(id),
    prompt: unguard(prompt),
    completion: unguard(completion),
    answer: unguard(answer),
    reward: number(reward),
    scores: Object.fromEntries(rewards.map((name, i) => [name, number(scores[i])])),
  };
}
