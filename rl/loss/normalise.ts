/**
 * Normalisers: what each token's loss counts in the loss of its optimiser batch. They are worked out
 * for the whole batch, once; its pieces take their rows of it, so that no split changes a gradient.
 * @module
 */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { countTokens, type ResponseGrid } from "../batch.ts";

/** Rows of the normaliser. */
// deno-fmt-ignore
export const NORMALISER_ROWS = {
  lossNormaliser: { kind: "choice", choices: ["tokens", "sequences", "sequence-sums", "constant"], default: "tokens", doc: "the loss is a mean over tokens, a mean over responses of their means, a mean over responses of their sums, or that divided by maxNewTokens", group: "Loss" },
  countMasked: { kind: "boolean", default: false, only: { lossNormaliser: { not: "tokens" } }, doc: "responses that are left out still count in a mean over responses, as in TRL", group: "Loss" },
} as const satisfies OptionRows;

/** Settings of the normaliser. */
export type NormaliserConfig = OptionValues<typeof NORMALISER_ROWS>;

/** (B, T) of an optimiser batch's grid: 1 / tokens that count, 0 elsewhere; all 0 where none counts. */
export function tokenMean({ mask }: ResponseGrid): Float64Array {
  const tokens = countTokens(mask);
  return Float64Array.from(mask, (m) => m ? 1 / tokens : 0);
}

/**
 * (B, T) of an optimiser batch's grid, in which it has the rows `rows` and the mask is 0 elsewhere:
 *   tokens         1 / tokens of the batch              (DAPO, arXiv 2503.14476)
 *   sequences      1 / (tokens of the row * rows)       (GRPO, arXiv 2402.03300)
 *   sequence-sums  1 / rows
 *   constant       1 / (rows * longest)                 (Dr. GRPO, arXiv 2503.20783)
 * `rows` are those with a token that counts, or all with `countMasked`. `longest` is `maxNewTokens`.
 */
export function normaliserWeights(
  grid: ResponseGrid,
  { lossNormaliser, countMasked }: NormaliserConfig,
  { rows, longest }: { rows: readonly number[]; longest: number },
): Float64Array {
  if (lossNormaliser === "tokens") return tokenMean(grid);
  const { B, T, mask } = grid, weight = new Float64Array(B * T);
  const counts = rows.map((b) => countTokens(mask.subarray(b * T, (b + 1) * T)));
  const all = countMasked ? rows.length : counts.filter((tokens) => tokens > 0).length;
  rows.forEach((b, at) => {
    const own = { sequences: counts[at], "sequence-sums": 1, constant: longest }[lossNormaliser];
    for (let i = b * T; i < (b + 1) * T; i++) if (mask[i]) weight[i] = 1 / (own * all);
  });
  return weight;
}
