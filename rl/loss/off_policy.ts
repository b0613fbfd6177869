/**
 * What is done about tokens that another policy drew than the one that learns from them: a sampler whose
 * numbers differ from the training pass's, or an update that has gone far from its rollout.
 * Truncated importance weights: Yao et al. 2025 (fengyao.notion.site/off-policy-rl); the masked form:
 * IcePop, Zhao et al. 2025. The sequence mask: DeepSeek-V3.2, arXiv 2512.02556, section 3.1.
 * @module
 */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { clampLogRatio } from "../kl.ts";

/** Rows of the correction. */
// deno-fmt-ignore
export const OFF_POLICY_ROWS = {
  samplerWeights: { kind: "choice", choices: ["off", "token-truncate", "token-mask", "sequence-truncate", "sequence-mask"], default: "off", doc: "importance weights between the sampler's and the training pass's probabilities, of tokens or of whole responses; above samplerCap cut to it, or to 0", group: "Loss" },
  samplerCap: { kind: "number", default: 3, min: 1, usual: "2 to 5", only: { samplerWeights: { not: "off" } }, doc: "largest of these weights", group: "Loss" },
  offPolicyLimit: { kind: "number", default: 0, min: 0, unit: "nats per token", usual: "0, 0.5", doc: "responses with a negative advantage are left out once the policy is this far from their sampler; 0 is off", group: "Loss" },
} as const satisfies OptionRows;

/** Settings of the correction. */
export type OffPolicyConfig = OptionValues<typeof OFF_POLICY_ROWS>;

/** One response's tokens that count, n of them. */
interface Drawn {
  /** Of the policy as it is now. */
  logprob: Float64Array;
  /** Of the policy that drew, by the training pass. */
  oldLogprob: Float64Array;
  /** Of the policy that drew, as the sampler saw it. */
  sampled: Float64Array;
  /** Of its first token; a response has one. */
  advantage: number;
}

/**
 * (n) What the policy loss of each token is multiplied by, a constant:
 *   w_t = exp(oldLogprob - sampled) of the token, or of the response the exp of its sum,
 * cut as configured; all 0 where the advantage is negative and mean_t (sampled - logprob) > offPolicyLimit.
 */
export function offPolicyWeights(
  { logprob, oldLogprob, sampled, advantage }: Drawn,
  { samplerWeights, samplerCap, offPolicyLimit }: OffPolicyConfig,
): Float64Array {
  const n = logprob.length, weights = new Float64Array(n).fill(1);
  let far = 0, sum = 0;
  for (let t = 0; t < n; t++) {
    far += (sampled[t] - logprob[t]) / n;
    sum += oldLogprob[t] - sampled[t];
  }
  if (offPolicyLimit > 0 && advantage < 0 && far > offPolicyLimit) return weights.fill(0);
  if (samplerWeights === "off") return weights;
  const [level, cut] = samplerWeights.split("-");
  return weights.map((_, t) => {
    const d = level === "sequence" ? sum : oldLogprob[t] - sampled[t];
    const weight = Math.exp(clampLogRatio(d));
    return weight <= samplerCap ? weight : cut === "truncate" ? samplerCap : 0;
  });
}
