/** Turns one step's experience and update into the numbers that are reported. @module */
import type { Algorithm, Experience, StepFacts } from "./algorithm.ts";
import { meansOf } from "./loss/sums.ts";
import { orderMetrics } from "./metrics.ts";
import { ratesOfUpdate } from "./phases.ts";
import { maskedMean, mean, meanAndStd, meanRowSum } from "./stats.ts";
import type { UpdateResult } from "./update.ts";

/** All of the algorithm's metrics for one step, in the table's order; NaN where there is no number. */
export function stepMetrics<C>(
  algorithm: Algorithm<C>,
  facts: StepFacts<C>,
): Record<string, number> {
  const { experience, update } = facts;
  const absent = Object.fromEntries(algorithm.metrics.map(({ name }) => [name, NaN]));
  return orderMetrics(algorithm.metrics, {
    ...(update.batches.length === 0 && absent), // of the loss: there was none
    ...ofRollout(experience),
    ...experience.facts,
    ...ofUpdate(update),
    "optimizer/learning_rate": ratesOfUpdate(algorithm, facts).policy,
    ...algorithm.report?.(facts),
  });
}

/** What was drawn, and how it was scored. */
function ofRollout(experience: Experience): Record<string, number> {
  const { rollout, grid, score, scored, old, sampled, kl, penalty, advantage, draws } = experience;
  const { mask } = grid;
  const scores = meanAndStd(score.filter((_, b) => scored[b]));
  const queries = meanAndStd(rollout.prompts.map((prompt) => prompt.length));
  const responses = meanAndStd(grid.length);
  let difference = NaN;
  for (let i = 0; i < mask.length; i++) {
    const gap = Math.abs(sampled[i] - old.logprob[i]);
    if (mask[i] && !(gap <= difference)) difference = gap;
  }
  return {
    ...(kl && { "kl/reference": meanRowSum(kl, grid) }),
    ...(penalty && { "kl/penalty_mean": maskedMean(penalty, mask) }),
    "policy/sequence_entropy": -meanRowSum(old.logprob, grid),
    "score/mean": scores.mean,
    "score/std": scores.std,
    "advantages/mean": maskedMean(advantage, mask),
    "sampling/logp_difference_max": difference,
    "groups/draws": draws.draws,
    "groups/evicted": draws.evicted,
    "groups/kept": draws.kept,
    "groups/learned": draws.learned,
    "groups/surplus": draws.surplus,
    "rewards/scored_count": draws.scored,
    "rewards/null_count": draws.unscored,
    "tokens/queries_len_mean": queries.mean,
    "tokens/queries_len_std": queries.std,
    "tokens/responses_len_mean": responses.mean,
    "tokens/responses_len_std": responses.std,
    "tokens/finished_share": mean(rollout.finished.map(Number)),
  };
}

/** What was learned: means over optimiser batches, and extremes over all of them. */
function ofUpdate(
  { batches, totals, gradientNorms, epochs, fault }: UpdateResult,
): Record<string, number> {
  const means = batches.map(meansOf);
  const averaged = { ...batches[0]?.sum, ...batches[0]?.weighted };
  const each = Object.keys(averaged).map((name) => [name, mean(means.map((of) => of[name]))]);
  const least = Object.keys(batches[0]?.min ?? {}).map((name) => [
    name,
    Math.min(...means.map((of) => of[name])),
  ]);
  const most = Object.keys(batches[0]?.max ?? {}).map((name) => [
    name,
    Math.max(...means.map((of) => of[name])),
  ]);
  return {
    ...Object.fromEntries([...each, ...least, ...most]),
    "loss/total": mean(totals),
    "optimizer/grad_norm": mean(gradientNorms),
    "optimizer/epochs": epochs,
    "optimizer/skipped_updates": fault === undefined ? 0 : 1,
  };
}
