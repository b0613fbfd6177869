/**
 * The geometric mean of a response's ratios, each clipped in log space before it enters: GMPO (Zhao et al.
 * 2025, arXiv 2507.20673, equation 4). One wild token cannot lead the whole response.
 * @module
 */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { type ResponseLoss, type ResponseTokens, sumOf } from "./response.ts";

/** Rows of the clip range. */
// deno-fmt-ignore
export const LOG_CLIP_ROWS = {
  logClip: { kind: "number", default: 0.4, min: 0, unit: "nats", usual: "0.2 to 0.4", doc: "clip range of a token's log-ratio, on both sides of 0", group: "Loss" },
} as const satisfies OptionRows;

/**
 * With d_t = logprob - oldLogprob and n tokens:
 *   c_t = min(d_t, logClip) where A > 0, else max(d_t, -logClip)
 *   loss of each token = -A g, with g = exp(mean_t c_t)
 *   d loss / d logprob_t = (sum of the tokens' weights) * -A g / n where c_t = d_t, else 0
 */
export function geometricMeanLoss(
  { logprob, oldLogprob, advantage: [A], weight }: ResponseTokens,
  { logClip }: OptionValues<typeof LOG_CLIP_ROWS>,
): ResponseLoss {
  const n = logprob.length, gradient = new Float64Array(n);
  let sum = 0, clipped = 0;
  for (let t = 0; t < n; t++) {
    const d = logprob[t] - oldLogprob[t];
    const bounded = A > 0 ? Math.min(d, logClip) : Math.max(d, -logClip);
    sum += bounded;
    if (bounded === d) gradient[t] = 1;
    else clipped++;
  }
  const loss = -A * Math.exp(sum / n) * sumOf(weight);
  return { loss, gradient: gradient.map((open) => open * loss / n), clipped };
}
