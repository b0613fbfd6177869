/**
 * Which slots of a (B, T) array of response tokens exist. Which position of a sequence speaks about a
 * response token is the model's to say (`model/rows.ts`). Nothing is ever inferred from a token id: GPT-2 has
 * no padding token, and its end-of-text token is a token to learn like any other.
 * @module
 */

/** Numbers to read, of any storage; every function of this folder sums in double precision. */
export type Numbers = ArrayLike<number>;

/** Which slots of a (B, T) array of response tokens exist. */
export interface ResponseGrid {
  /** Rows. */
  B: number;
  /** Columns: the longest response, in tokens. */
  T: number;
  /** (B, T): 1 where a response token exists and counts, else 0. */
  mask: Uint8Array;
  /** (B): tokens of each response, also where the mask leaves a row out. */
  length: Int32Array;
}

/** @throws {RangeError} where `x`, which errors call `name`, has not one number for each slot of the grid */
export function checkSize(name: string, x: Numbers, { B, T }: Pick<ResponseGrid, "B" | "T">): void {
  if (x.length === B * T) return;
  throw new RangeError(
    `Cannot use ${name} as it must be (${B}, ${T}), ${B * T} numbers: it has ${x.length}`,
  );
}

/** Lays responses out as rows of a (B, T) grid, T the longest of them. */
export function alignResponses(responses: readonly ArrayLike<unknown>[]): ResponseGrid {
  const length = Int32Array.from(responses, (response) => response.length);
  return masked(length, () => 1);
}

/** The same grid with the rows left out for which `keep` is false: they count for nothing. */
export function keepRows(grid: ResponseGrid, keep: readonly boolean[]): ResponseGrid {
  const mask = grid.mask.map((m, i) => keep[Math.floor(i / grid.T)] ? m : 0);
  return { ...grid, mask };
}

/** The grid of some rows alone, in the given order; its T is the longest of these. */
export function gridOfRows(grid: ResponseGrid, rows: readonly number[]): ResponseGrid {
  const length = Int32Array.from(rows, (row) => grid.length[row]);
  return masked(length, (b, t) => grid.mask[rows[b] * grid.T + t]);
}

/** Copies some rows of `x`, (B, T) in `grid`, into an array of the shape of `gridOfRows`. */
export function takeRows<A extends Float32Array | Float64Array>(
  x: A,
  grid: ResponseGrid,
  rows: readonly number[],
): A {
  const T = longest(Int32Array.from(rows, (row) => grid.length[row]));
  const out = new (x.constructor as new (length: number) => A)(rows.length * T);
  rows.forEach((row, b) => {
    for (let t = 0; t < T; t++) out[b * T + t] = x[row * grid.T + t];
  });
  return out;
}

/** Writes (rows, T of these rows) back into the given rows of `out`, (B, T) in `grid`. */
export function putRows(
  out: Float32Array,
  grid: ResponseGrid,
  { rows, from }: { rows: readonly number[]; from: Numbers },
): void {
  const T = from.length / rows.length;
  rows.forEach((row, b) => {
    for (let t = 0; t < T; t++) out[row * grid.T + t] = from[b * T + t];
  });
}

/** Pads one array a row into (B, T) with zeros. @throws {RangeError} for other rows than the grid's */
export function padRows(rows: readonly Numbers[], grid: ResponseGrid): Float32Array {
  if (rows.length !== grid.B) {
    throw new RangeError(
      `Cannot align rows as there must be one a response, ${grid.B}: there are ${rows.length}`,
    );
  }
  const out = new Float32Array(grid.B * grid.T);
  rows.forEach((row, b) => {
    if (row.length !== grid.length[b]) {
      throw new RangeError(
        `Cannot align row ${b} as it must have one number a response token, ${
          grid.length[b]
        }: it has ${row.length}`,
      );
    }
    out.set(row, b * grid.T);
  });
  return out;
}

/** How many tokens count. */
export function countTokens(mask: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < mask.length; i++) count += mask[i];
  return count;
}

/** Slots of row `b` whose tokens count, in order. */
export const slotsOf = ({ T, mask }: ResponseGrid, b: number): number[] =>
  Array.from({ length: T }, (_, t) => b * T + t).filter((i) => mask[i]);

/** Index of the last token that counts in row `b`, or -1 where the whole row is left out. */
export function lastToken({ T, mask }: ResponseGrid, b: number): number {
  for (let t = T - 1; t >= 0; t--) if (mask[b * T + t]) return t;
  return -1;
}

function masked(length: Int32Array, at: (b: number, t: number) => number): ResponseGrid {
  const B = length.length, T = longest(length);
  const mask = new Uint8Array(B * T);
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < length[b]; t++) mask[b * T + t] = at(b, t);
  }
  return { B, T, mask, length };
}

function longest(length: Int32Array): number {
  return length.reduce((a, b) => Math.max(a, b), 0);
}
