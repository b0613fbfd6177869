/**
 * Tables as CSV (RFC 4180). A text cell that a spreadsheet would run as a formula is written behind an
 * apostrophe, and so is one that begins with an apostrophe: to read a text cell, drop one at its
 * beginning. Programs that break rows at every line end, quoted or not, see the later lines of a cell as
 * rows of their own: such a line too is written behind an apostrophe where it would be a formula, or
 * where apostrophes stand before one. Numbers are never changed. (OWASP ASVS 1.2.10)
 * @module
 */
import { parse } from "npm:csv-parse@7.0.3/sync";
import { stringify } from "npm:csv-stringify@6.9.0/sync";
import {
  type CompletionRow,
  type EvaluationReport,
  parsePhase,
  type Phase,
  phaseText,
} from "../observer.ts";

const RISKY = /^['=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]/;
/** Where a later line of a cell begins that would be a formula, apostrophes before it or not. */
const RISKY_LINE = /(?<=\r\n|[\r\n])(?='*[=+\-@\t\r\0\uff1d\uff0b\uff0d\uff20])/g;
/** What `guard` put there. */
const GUARDED_LINE = /(?<=\r\n|[\r\n])'(?='*[=+\-@\t\r\0\uff1d\uff0b\uff0d\uff20])/g;

/** Half a character, which no file of UTF-8 can hold. */
const HALF = /\p{Surrogate}/gu;

/** A text cell that no spreadsheet runs. Half a character is spelled out, as `\u{d800}`. */
export const guard = (text: string): string => {
  const whole = text.replace(HALF, (half) => `\\u{${half.codePointAt(0)!.toString(16)}}`)
    .replace(RISKY_LINE, "'");
  return RISKY.test(whole) ? `'${whole}` : whole;
};

/** The text that `guard` was given; halves of characters stay spelled out. */
export const unguard = (cell: string): string =>
  (cell.startsWith("'") ? cell.slice(1) : cell).replace(GUARDED_LINE, "");

/** Numbers as JavaScript prints them; an empty cell for null and for what is not finite. */
export const numberCell = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? "" : Object.is(value, -0) ? "0" : String(value);

/** The number that `numberCell` was given; NaN of an empty cell. @throws {TypeError} for any other text */
export function cellNumber(cell = ""): number {
  if (cell === "" || cell === "NaN") return NaN;
  const value = Number(cell);
  if (cell.trim() === cell && !Number.isNaN(value)) return value;
  throw new TypeError(`a number, or nothing, stands there: it is ${JSON.stringify(cell)}`);
}

const SLACK = 1e-6; // what rounding may add

/** The same of a share. @throws {TypeError} for what lies beyond 0 to 1, named by `name` */
export function cellShare(name: string, cell = ""): number {
  const value = cellNumber(cell);
  if (!(value < -SLACK || value > 1 + SLACK)) return value;
  throw new TypeError(`${name} is a share, 0 to 1: it is ${cell}`);
}

/** What was given as a text and may be a number: one stays as it is, also below zero. */
export const givenCell = (text: string): string =>
  /^-?[\d.]/.test(text) && Number.isFinite(Number(text)) ? text : guard(text);

/** Lines with a line feed each; a cell with a carriage return, line feed, quote or comma is quoted. */
export const csvLines = (rows: readonly (readonly string[])[]): string =>
  stringify(rows as string[][], { record_delimiter: "unix", quoted_match: /\r/ });

/** The text up to its last whole row: to the last line feed that stands outside of quotes. */
export function wholeRows(text: string): string {
  let end = 0, quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) quoted = !quoted; // a doubled quote turns it twice
    else if (code === 0x0a && !quoted) end = at + 1;
  }
  return text.slice(0, end);
}

/** Rows of cells. */
export const readCsv = (text: string): string[][] =>
  parse(text, { relax_column_count: false, skip_empty_lines: true }) as string[][];

const FIXED = ["step", "phase", "id", "prompt", "completion", "answer", "reward"];

/** First line of completions.csv. */
export const completionHeader = (rewards: readonly string[]): string[] => [
  ...FIXED,
  ...rewards.map((name) => `score:${name}`),
];

/** Columns of evaluations.csv. */
export const EVALUATIONS = ["step", "phase", "exact", "reward", "tokens"];

/** One row of evaluations.csv. */
export interface EvaluationRow extends EvaluationReport, Phase {}

/** One line of evaluations.csv. */
export const evaluationCells = (phase: Phase, report: EvaluationReport): string[] => [
  ...[String(report.step), phaseText(phase)],
  ...[report.exact, report.reward, report.tokens].map(numberCell),
];

/** The row that `evaluationCells` was given. @throws {TypeError} for another */
export function evaluationOf(
  [step, phase, exact, reward, tokens]: readonly string[],
): EvaluationRow {
  return {
    step: cellNumber(step),
    ...parsePhase(phase),
    exact: cellShare("exact", exact),
    ...{ reward: cellNumber(reward), tokens: cellNumber(tokens) },
  };
}

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

/** The row that `completionCells` was given. @throws {TypeError} for another */
export function completionOf(cells: readonly string[], rewards: readonly string[]): CompletionRow {
  const [step, phase, id, prompt, completion, answer, reward, ...scores] = cells;
  const number = (cell: string, name = "") => {
    const value = name === "exact" ? cellShare(`score:${name}`, cell) : cellNumber(cell);
    return Number.isNaN(value) ? null : value;
  };
  return {
    step: cellNumber(step),
    ...parsePhase(unguard(phase)),
    id: unguard(id),
    prompt: unguard(prompt),
    completion: unguard(completion),
    answer: unguard(answer),
    reward: number(reward),
    scores: Object.fromEntries(rewards.map((name, i) => [name, number(scores[i], name)])),
  };
}
