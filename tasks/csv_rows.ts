/** The rows of a table of prompts: what one must be, and which are held out. @module */
import { csvError, type CsvRow } from "../base/csv.ts";
import { excerpt, shown } from "../base/excerpt.ts";
import { permutation, STREAMS } from "../base/random.ts";
import type { Example } from "../rewards/reward.ts";

/** @throws {SyntaxError} with file and line, for a row that is none */
export function checkRows(rows: readonly CsvRow<string>[], file: string): void {
  const seen = { prompt: new Map<string, number>(), id: new Map<string, number>() };
  for (const { line, values } of rows) {
    if (values.prompt === "") {
      throw csvError(
        file,
        line,
        "each row must have a prompt: it is empty; fill it in, or take the row out",
      );
    }
    for (const column of ["prompt", "id"] as const) {
      const text = values[column] ?? "";
      if (text === "") continue;
      const before = seen[column].get(text);
      if (before !== undefined) {
        const rule = `each ${column} may occur once`;
        throw csvError(
          file,
          line,
          `${rule}: ${shown(text, 80)} is on line ${before} too; take one out`,
        );
      }
      seen[column].set(text, line);
    }
    const { split } = values;
    if (split !== undefined && split !== "train" && split !== "heldout") {
      throw csvError(
        file,
        line,
        `split must be train or heldout: it is "${excerpt(split, 40)}"; write one`,
      );
    }
  }
}

/** An example of a row; what has no column of its own here is on it under its name. */
export function exampleOf({ line, values }: CsvRow<string>, file: string): Example {
  const { prompt, answer = "", id = "", split: _, ...more } = values;
  const place = `${file.replace(/^.*[/\\]/, "")}:${line}`;
  return { ...more, id: id === "" ? place : id, prompt, ...(answer !== "" && { answer }) };
}

/** Which of n rows are held out: a share of them, at least one where it is above 0, never all. */
export function drawRows(n: number, share: number, seed: number): Set<number> {
  const order = permutation(n, { seed, step: 0, epoch: 0 }, STREAMS.heldout);
  const count = share === 0 ? 0 : Math.min(n - 1, Math.max(1, Math.round(share * n)));
  return new Set(order.slice(0, count));
}
