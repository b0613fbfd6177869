/** Prompts that are equal are run through the network once. @module */
import type { Tokens } from "../rows.ts";

/** The prompts of a batch, each once. */
export interface DistinctPrompts {
  /** (U) in the order of their first rows. */
  prompts: Tokens[];
  /** (B) which of them each row has. */
  source: Uint32Array<ArrayBuffer>;
}

/** Finds equal prompts among those of B rows, wherever they stand. */
export function distinctPrompts(rows: readonly Tokens[]): DistinctPrompts {
  const places = new Map<string, number>(), prompts: Tokens[] = [];
  const source = Uint32Array.from(rows, (prompt) => {
    const key = Array.prototype.join.call(prompt);
    const found = places.get(key);
    if (found !== undefined) return found;
    places.set(key, prompts.length);
    return prompts.push(prompt) - 1;
  });
  return { prompts, source };
}

/** Each row with a prompt of its own, whether another has the same or not. */
export const separatePrompts = (rows: readonly Tokens[]): DistinctPrompts => ({
  prompts: [...rows],
  source: Uint32Array.from(rows, (_, b) => b),
});

/**
 * The prompts that a session of B rows is recorded for where `count` are distinct: at least as many, and
 * one of few numbers, so that batches where a prompt happens to come twice share programs with the others.
 */
export const sourcesFor = (count: number, B: number): number =>
  Math.ceil(B / Math.floor(B / count));
