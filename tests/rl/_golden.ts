/** The worked example that several tests share: two rows, four and two tokens. @module */
import { alignResponses, type ResponseGrid } from "../../rl/batch.ts";

/** Lays ragged rows out with T columns, `fill` where there is no token. */
export function lay(rows: number[][], fill = NaN): number[] {
  const T = Math.max(...rows.map((row) => row.length));
  return rows.flatMap((row) => [...row, ...Array(T - row.length).fill(fill)]);
}

/** The grid of ragged rows. */
export function gridOf(rows: ArrayLike<unknown>[]): ResponseGrid {
  return alignResponses(rows);
}

/** Central difference of `f` at element `i` of `x`. */
export function slope(f: (x: number[]) => number, x: ArrayLike<number>, i: number): number {
  const h = 1e-6, up = Array.from(x), down = Array.from(x);
  up[i] += h;
  down[i] -= h;
  return (f(up) - f(down)) / (2 * h);
}

export const LOGPROB = [[-1, -2, -0.5, -1.5], [-0.7, -1.1]];
export const REFERENCE = [[-1.2, -1.9, -0.9, -1.4], [-0.9, -1]];
export const VALUE = [[0.1, 0.2, -0.1, 0.3], [0, 0.4]];
export const SCORE = [1, -0.5];
export const GRID: ResponseGrid = gridOf(LOGPROB);
