/**
 * One ratio for a whole response. GSPO (Zheng et al. 2025, arXiv 2507.18071, equations 5 to 7) takes the
 * geometric mean of the tokens' ratios, RLOO (Ahmadian et al. 2024, arXiv 2402.14740) their product.
 * @module
 */
import { clippedLoss, type ClipRange } from "./clipped_ratio.ts";
import { type ResponseLoss, type ResponseTokens, sumOf } from "./response.ts";

/**
 * With d_t = logprob - oldLogprob and s = exp(mean_t d_t), or exp(sum_t d_t), each token of the response
 * has the loss of loss/clipped_ratio.ts at the ratio s:
 *   d loss / d logprob_t = (sum of the tokens' weights) * d clipped(s) / d log s * d log s / d d_t
 * where the last factor is 1 / n for the mean and 1 for the sum. The advantage is the response's, the
 * same for every token.
 */
function sequenceLoss(
  { logprob, oldLogprob, advantage, weight }: ResponseTokens,
  { range, share }: { range: ClipRange; share: number },
): ResponseLoss {
  let sum = 0;
  for (let t = 0; t < logprob.length; t++) sum += logprob[t] - oldLogprob[t];
  const total = sumOf(weight);
  const of = clippedLoss({ logRatio: sum * share, advantage: advantage[0] }, range);
  return {
    loss: total * of.loss,
    gradient: new Float64Array(logprob.length).fill(total * of.gradient * share),
    clipped: of.clipped ? logprob.length : 0,
  };
}

/** The clipped surrogate of the geometric mean of a response's ratios. */
export const meanRatioLoss = (response: ResponseTokens, range: ClipRange): ResponseLoss =>
  sequenceLoss(response, { range, share: 1 / response.logprob.length });

/** The clipped surrogate of the product of a response's ratios. */
export const productRatioLoss = (response: ResponseTokens, range: ClipRange): ResponseLoss =>
  sequenceLoss(response, { range, share: 1 });
