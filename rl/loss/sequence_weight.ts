/**
 * A smooth weight on whole responses in the place of a clip: VESPO (2026, arXiv 2602.10693), as TRL 1.16
 * has it. The weight falls off on both sides of a ratio of 1, and is a constant of the gradient.
 * @module
 */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { clampLogRatio, LOG_RATIO_LIMIT } from "../kl.ts";
import type { ResponseLoss, ResponseTokens } from "./response.ts";

/** Rows of the weight. */
// deno-fmt-ignore
export const FALLOFF_ROWS = {
  riseNegative: { kind: "number", default: 3, min: 0, usual: "3", doc: "power of the ratio in the weight where the advantage is negative", group: "Loss" },
  fallNegative: { kind: "number", default: 2, min: 0, usual: "2", doc: "exponential fall of that weight with the ratio", group: "Loss" },
  risePositive: { kind: "number", default: 2, min: 0, usual: "2", doc: "power of the ratio in the weight elsewhere", group: "Loss" },
  fallPositive: { kind: "number", default: 3, min: 0, usual: "3", doc: "exponential fall of that weight with the ratio", group: "Loss" },
} as const satisfies OptionRows;

const LEAST_LOG_WEIGHT = Math.log(1e-8);

/**
 * With W = exp(sum_t (logprob - oldLogprob)), rise k and fall f:
 *   phi = exp(f + k log W - f W), a constant that is 1 at W = 1
 *   loss of each token = -phi A l, whose gradient is -phi A
 * Each log-ratio is clamped to 20 nats of 0, their sum to log 1e-8 below and 20 above.
 */
export function sequenceWeightLoss(
  { logprob, oldLogprob, advantage: A, weight }: ResponseTokens,
  { risePositive, fallPositive, riseNegative, fallNegative }: OptionValues<typeof FALLOFF_ROWS>,
): ResponseLoss {
  const n = logprob.length, gradient = new Float64Array(n);
  let sum = 0, loss = 0;
  for (let t = 0; t < n; t++) sum += clampLogRatio(logprob[t] - oldLogprob[t]);
  const logW = Math.min(LOG_RATIO_LIMIT, Math.max(LEAST_LOG_WEIGHT, sum));
  const [k, f] = A[0] >= 0 ? [risePositive, fallPositive] : [riseNegative, fallNegative];
  const phi = Math.exp(f + k * logW - f * Math.exp(logW));
  for (let t = 0; t < n; t++) {
    gradient[t] = -phi * A[t] * weight[t];
    loss += gradient[t] * logprob[t];
  }
  return { loss, gradient, clipped: 0 };
}
