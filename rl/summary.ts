/** Turns one step's experience and update into the numbers that are reported. @module */
import { lastToken } from "./batch.ts";
import type { Experience } from "./experience.ts";
import { orderMetrics } from "./metrics.ts";
import type { PpoMeans } from "./ppo.ts";
import { maskedMean, maskedVariance, meanAndDeviation } from "./stats.ts";
import type { UpdateResult } from "./update.ts";

/** Sum over each row that counts, then the mean of these sums. */
function meanRowSum(x: Float32Array, { grid }: Experience): number {
  const { B, T, mask } = grid;
  let sum = 0, rows = 0;
  for (let b = 0; b < B; b++) {
    if (lastToken(grid, b) < 0) continue;
    rows++;
    for (let i = b * T; i < (b + 1) * T; i++) if (mask[i]) sum += x[i];
  }
  return sum / rows;
}

/** The KL that the adaptive coefficient steers by: nats a sequence, mean over judged responses. */
export function meanSequenceKl(experience: Experience): number {
  return meanRowSum(experience.kl, experience);
}

/** All of `PPO_METRICS` for one step. */
export function stepMetrics(
  experience: Experience,
  { update, learningRate, klCoefficient }: {
    update: UpdateResult;
    learningRate: number;
    klCoefficient: number;
  },
): Record<string, number> {
  const { rollout, grid, score, judged, old, sampled, nonScore, returns, advantage } = experience;
  const { mask } = grid;
  const { means, gradientNorms } = update;
  const scores = meanAndDeviation(score.filter((_, b) => judged[b]));
  const queries = meanAndDeviation(rollout.prompts.map((prompt) => prompt.length));
  const responses = meanAndDeviation(grid.length);
  const mean = (name: keyof PpoMeans) => meanAndDeviation(means.map((m) => m[name])).mean;
  const returnsVariance = maskedVariance(returns, mask, "sample");
  const count = judged.filter((is) => is).length;
  let difference = NaN;
  for (let i = 0; i < mask.length; i++) {
    const gap = Math.abs(sampled[i] - old.logprob[i]);
    if (mask[i] && !(gap <= difference)) difference = gap;
  }
  return orderMetrics({
    "objective/kl": meanSequenceKl(experience),
    "objective/kl_coef": klCoefficient,
    "objective/entropy": -meanRowSum(old.logprob, experience),
    "ppo/mean_non_score_reward": maskedMean(nonScore, mask),
    "ppo/mean_scores": scores.mean,
    "ppo/std_scores": scores.deviation,
    "ppo/learning_rate": learningRate,
    "ppo/loss/policy": mean("policyLoss"),
    "ppo/loss/value": mean("valueLoss"),
    "ppo/loss/total": mean("totalLoss"),
    "ppo/policy/entropy": mean("entropy"),
    "ppo/policy/approxkl": mean("approxKl"),
    "ppo/policy/policykl": mean("policyKl"),
    "ppo/policy/clipfrac": mean("clipped"),
    "ppo/policy/advantages_mean": maskedMean(advantage, mask),
    "ppo/policy/ratio": mean("ratio"),
    "ppo/policy/ratio_min": means.length ? Math.min(...means.map((m) => m.ratioMin)) : NaN,
    "ppo/policy/ratio_max": means.length ? Math.max(...means.map((m) => m.ratioMax)) : NaN,
    "ppo/returns/mean": maskedMean(returns, mask),
    "ppo/returns/var": returnsVariance,
    "ppo/val/vpred": mean("value"),
    "ppo/val/error": mean("valueError"),
    "ppo/val/clipfrac": mean("valueClipped"),
    "ppo/val/mean": maskedMean(old.value, mask),
    "ppo/val/var": maskedVariance(old.value, mask, "sample"),
    "ppo/val/var_explained": returnsVariance > 0 ? 1 - mean("valueError") / returnsVariance : NaN,
    "ppo/grad_norm": meanAndDeviation(gradientNorms).mean,
    "ppo/epochs": update.epochs,
    "ppo/skipped_updates": update.fault === undefined ? 0 : 1,
    "sampling/logp_difference_max": difference,
    "rewards/judged_count": count,
    "rewards/null_count": judged.length - count,
    "tokens/queries_len_mean": queries.mean,
    "tokens/queries_len_std": queries.deviation,
    "tokens/responses_len_mean": responses.mean,
    "tokens/responses_len_std": responses.deviation,
    "tokens/finished_share": maskedMean(
      rollout.finished.map(Number),
      new Uint8Array(rollout.finished.length).fill(1),
    ),
  });
}
