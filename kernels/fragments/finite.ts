/** What twins ask of a row of logits; finite.wgsl is the same for the kernels. @module */
import type { FloatArray } from "../device.ts";

/** What `finished` says of a row (sample.ts) with a logit that is not finite: nothing can be drawn from it. */
export const NOT_FINITE = 2;

/** Whether the elements from `start` to `end` are all finite. */
export function areFinite(x: FloatArray, start: number, end: number): boolean {
  let zero = 0; // infinity and NaN times 0 are NaN
  for (let i = start; i < end; i++) zero += 0 * x[i];
  return zero === 0;
}
