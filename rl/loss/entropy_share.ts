/**
 * The policy loss of the most uncertain tokens alone: where a response forks, not where it goes on as it
 * must. Wang et al. 2025, arXiv 2506.01939, with a share of 0.2; TRL has it as `top_entropy_quantile`.
 *
 *   policy loss of a token  *= 1 where H >= the (1 - entropyShare)-quantile of H, else 0
 *
 * H is the entropy before the update, over all tokens of the rollout that count, and the choice is the same
 * in every epoch, so that no split into minibatches or pieces changes it. TRL takes the entropies of the
 * policy as it is now, and the quantile of each micro-batch. The normaliser counts all tokens, there and here, as
 * do KL and, here, the entropy bonus; TRL pays that on the chosen tokens alone. Where a loss has one ratio
 * of a whole response, that ratio is still of all its tokens; TRL's GMPO leaves the others out of it.
 * @module
 */
import type { OptionRows } from "../../base/options.ts";
import type { Numbers } from "../batch.ts";

/** The row of the share. */
// deno-fmt-ignore
export const ENTROPY_SHARE_ROWS = {
  entropyShare: { kind: "number", default: 1, min: 0, above: true, max: 1, usual: "0.2, 1", doc: "policy loss of those tokens alone whose entropy is in this top share of the rollout's; 1 is all", group: "Loss" },
} as const satisfies OptionRows;

/**
 * (B, T) 1 on the tokens whose entropy is in the top `share` of those where the mask is 1, 0 elsewhere. The
 * quantile is linear between two neighbours, as torch.quantile is; all that equal it are chosen, so that
 * it is more than the share where many are alike, and never none.
 * @param entropy (B, T) f32, nats
 * @param share above 0, at most 1
 */
export function topEntropy(mask: Uint8Array, entropy: Numbers, share: number): Float32Array {
  const sorted = Float32Array.from(entropy).filter((_, i) => mask[i]).sort();
  const place = (1 - share) * (sorted.length - 1), at = Math.floor(place);
  const low = sorted[at], high = sorted[at + 1] ?? low;
  // As f32, or the rounding of `place` would decide where the quantile is one of the entropies.
  const quantile = Math.fround(low + (place - at) * (high - low));
  return Float32Array.from(mask, (counts, i) => counts && entropy[i] >= quantile ? 1 : 0);
}
