/** How a launch is cut into parts that can be computed apart, each number still by one twin call. @module */
import type { HostArray, Kernel, Launch } from "../../device.ts";
import type { HalfArray } from "../../fragments/half.ts";

/** One array, as a twin takes it. */
export type HeldArray = HostArray | HalfArray;
/** What a twin takes, by the names of the WGSL. */
export type Arrays = Readonly<Record<string, HeldArray>>;
/** The dims of a launch. */
export type Dims = Launch["dims"];
/** Lines from `start` to before `end`. */
export type Range = readonly [start: number, end: number];

/**
 * A launch as lines none of which needs what another one writes: rows of an output, mostly. Each element
 * is summed by one call of the twin, in the same order whichever lines that call was given, so that a
 * cut changes no bit.
 */
export interface Split {
  /** How many lines there are. */
  lines(dims: Dims, arrays: Arrays): number;
  /** Parts start at multiples of this; of 1 when absent. */
  unit?(dims: Dims): number;
  /** Multiply-adds of the whole launch, roughly: whether a part is worth handing over. */
  work(dims: Dims, lines: number): number;
  /** What the twin takes to compute these lines alone. */
  part(arrays: Arrays, dims: Dims, range: Range): readonly [Arrays, Dims];
}

/** A twin, under a name by which another thread finds it, and how its launches are cut. */
export interface SplitTwin {
  readonly name: string;
  readonly twin: Kernel["twin"];
  readonly split: Split;
}

/**
 * dims[`letter`] lines that lie one behind the other in every array: each `strides` elements after the one
 * before, 0 where all lines read the same.
 */
export function byRows(
  letter: string,
  strides: (dims: Dims) => Readonly<Record<string, number>>,
  { work, unit }: Pick<Split, "work" | "unit">,
): Split {
  return {
    lines: (dims) => dims[letter],
    unit,
    work,
    part: (arrays, dims, [start, end]) => [
      cut(arrays, strides(dims), [start, end < dims[letter] ? end : Infinity]),
      { ...dims, [letter]: end - start },
    ],
  };
}

/**
 * The arrays from line `start` to before `end`, by the elements that each line has in each of them.
 * @throws {TypeError} when `strides` says nothing of an array
 */
export function cut(
  arrays: Arrays,
  strides: Readonly<Record<string, number>>,
  [start, end]: Range,
): Arrays {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => {
      const stride = strides[name];
      if (stride === undefined) {
        throw new TypeError(
          `Cannot split a launch as each of its arrays has a stride, 0 where all is read: ${name} has none`,
        );
      }
      return [name, stride === 0 ? array : array.subarray(start * stride, end * stride)];
    }),
  );
}
