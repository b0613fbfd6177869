/** What the algorithms without a value head report. @module */
import type { OptionRows } from "../../base/options.ts";
import type { StepFacts } from "../algorithm.ts";
import { type CriticFreeConfig, learnedOf } from "../loss/critic_free.ts";
import { ENTROPY_METRIC, entropyCoefficientAt } from "../loss/entropy.ts";
import { type MetricInfo, metricTable } from "../metrics.ts";
import { maskedMean } from "../stats.ts";

// deno-fmt-ignore
const METRICS = [
  "kl/reference", "kl/coefficient", "kl/penalty_mean", "policy/sequence_entropy", "score/mean", "score/std",
  ["groups/equal_share", "", "0 to 1", "below 0.5", "share of the groups whose scores are all equal, so that they teach nothing", "Above: the task is too easy or too hard for the model, or groupSize too small; raise temperature, or use a reward with more values.", ""],
  "optimizer/learning_rate", ENTROPY_METRIC,
  ["loss/policy", "", "any", "near 0, no trend; it is not progress", "policy loss, by the normaliser", "Large and growing: lower learningRate or epochs.", ""],
  ["loss/kl", "nats", "by the estimator", "small", "KL to the reference in the loss, by the normaliser, before its coefficient", "Growing fast: raise klCoefficient or lower learningRate.", ""],
  ["loss/entropy", "nats", ">= 0", "as policy/entropy", "entropy by the normaliser, before its coefficient", "As policy/entropy.", ""],
  "loss/total", "policy/entropy", "policy/approxkl", "policy/policykl",
  ["policy/clipfrac", "", "0 to 1", "0 to 0.3", "share of tokens whose policy loss was clipped", "Above: lower learningRate or epochs.", ""],
  ["policy/entropy_share", "", "0 to 1", "entropyShare, or a little more", "share of the tokens whose policy loss counts; see entropyShare", "Far above entropyShare: many entropies are alike, mostly near 0; as policy/entropy.", ""],
  "advantages/mean", "policy/ratio", "policy/ratio_min", "policy/ratio_max",
  "optimizer/grad_norm", "optimizer/epochs", "optimizer/skipped_updates", "sampling/logp_difference_max", "rewards/scored_count",
  "rewards/null_count", "tokens/queries_len_mean", "tokens/queries_len_std", "tokens/responses_len_mean", "tokens/responses_len_std",
  "tokens/finished_share",
] as const satisfies Parameters<typeof metricTable>[0];

/** Of those with the rows of overlong.ts. */
// deno-fmt-ignore
const OVERLONG_METRICS = [
  ["score/overlong_mean", "reward", "-overlongPenalty to 0", "near 0", "mean of what responses lose for their length", "Below: responses run into overlongLimit; raise it and maxNewTokens, or overlongPenalty.", ""],
] as const satisfies Parameters<typeof metricTable>[0];

/** Of those with the rows of dynamic_sampling.ts. */
const DRAW_METRICS = [
  "groups/draws",
  "groups/evicted",
  "groups/kept",
  "groups/learned",
  "groups/surplus",
];

/** The metrics of one of them with the settings `rows`: the shared ones, its own, those of its settings. */
export const criticFreeMetrics = (
  rows: OptionRows,
  own: Parameters<typeof metricTable>[0] = [],
): readonly MetricInfo[] =>
  metricTable([
    ...METRICS,
    ...own,
    ...("overlongCache" in rows ? OVERLONG_METRICS : []),
    ...("dynamicSampling" in rows ? DRAW_METRICS : []),
  ]);

/** What is not a mean of the loss's sums; what was neither measured nor paid for is no number. */
export function reportOf(
  { experience, experience: { kl, penalty, policyWeight }, ...context }: StepFacts<
    CriticFreeConfig
  >,
): Record<string, number> {
  const { config, state: { klCoefficient } } = context;
  return {
    "policy/entropy_share": policyWeight
      ? maskedMean(policyWeight, learnedOf(experience, config).mask)
      : 1,
    "kl/coefficient": kl ? klCoefficient : NaN,
    "entropy/coefficient": entropyCoefficientAt(context),
    ...(!kl && { "kl/reference": NaN }),
    ...((!kl || config.klIn !== "loss") && { "loss/kl": NaN }),
    ...(!penalty && { "kl/penalty_mean": NaN }),
  };
}
