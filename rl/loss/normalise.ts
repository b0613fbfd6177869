/**
 * Normalisers: what each token's loss counts in the loss of its optimiser batch. They are worked out
 * for the whole batch, once; its pieces take their rows of it.
 * @module
 */
import { countTokens, type ResponseGrid } from "../batch.ts";

/** (B, T) of an optimiser batch's grid: 1 / tokens that count, 0 elsewhere; all 0 where none counts. */
export function tokenMean({ mask }: ResponseGrid): Float64Array {
  const tokens = countTokens(mask);
  return Float64Array.from(mask, (m) => m ? 1 / tokens : 0);
}
