/**
 * Half precision (IEEE 754 binary16) as storage: numbers go in rounded, and WGSL takes them out as f32
 * (half.wgsl, table.ts). Taking out is exact, so a kernel gives the same bits for f16 as for f32 that
 * holds the same numbers.
 * @module
 */
import type { HostArray, Tensor } from "../device.ts";

/** Host memory of an f16 tensor, as twins get it. */
export type HalfArray = Float16Array<ArrayBuffer>;

const OVERFLOW = 65520; // halfway from the largest number, 65504, to what would be the next

/**
 * `data` as it is written into an f16 `tensor` from element `at` on: each number rounded to the nearest
 * (ties to even), and one more zero where the pair at the end has an element to spare.
 * @throws {RangeError} when a finite number would become infinite, or a pair would be split
 */
export function toHalf(
  { label, length }: Tensor,
  data: HostArray | readonly number[],
  at: number,
): HalfArray {
  const end = at + data.length;
  if (at % 2 !== 0 || (end % 2 !== 0 && end !== length)) {
    throw new RangeError(
      `Cannot write ${label} as f16 is written in whole pairs: [${at}, ${end}) of ${length} was ` +
        "asked; start and end at even elements",
    );
  }
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(data[i]);
    if (size >= OVERFLOW && size < Infinity) {
      const found = `element ${at + i} is ${data[i]}`;
      throw new RangeError(
        `Cannot write ${label} as f16 holds numbers up to 65504: ${found}; store it as f32`,
      );
    }
  }
  if (data.length % 2 === 0) return new Float16Array(data);
  const padded = new Float16Array(data.length + 1);
  padded.set(data);
  return padded;
}
