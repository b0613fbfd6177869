/**
 * Every number that a PPO step reports, once: the table that docs and reports read. Names are those
 * of TRL 0.11 where it has the quantity, so that curves can be laid over each other. A number that
 * does not exist (the loss of a step without an update) is NaN, never 0.
 * @module
 */

/** One reported number. */
export interface MetricInfo {
  /** Column of `metrics.csv`. */
  name: string;
  /** "" for a plain number. */
  unit: string;
  /** Values that are possible. */
  range: string;
  /** What a run that learns looks like. */
  healthy: string;
  /** What is measured, in one line. */
  meaning: string;
}

const metric = (
  name: string,
  unit: string,
  range: string,
  healthy: string,
  meaning: string,
): MetricInfo => Object.freeze({ name, unit, range, healthy, meaning });

/** All metrics of a PPO step, in the order in which they are reported. */
// deno-fmt-ignore
export const PPO_METRICS: readonly MetricInfo[] = Object.freeze([
  metric("objective/kl", "nats a sequence", "any; true KL is >= 0", "rises slowly, stays under about 10", "estimate of KL(policy || reference), summed over a response, mean over responses"),
  metric("objective/kl_coef", "reward a nat", ">= 0", "changes slowly", "KL coefficient used in this step"),
  metric("objective/entropy", "nats a sequence", ">= 0", "falls slowly, not to 0", "-log-probability of a response as drawn, mean over responses"),
  metric("ppo/mean_non_score_reward", "reward a token", "any", "small beside the score", "mean KL penalty of a token, with its sign"),
  metric("ppo/mean_scores", "reward", "that of the reward", "rises", "mean score of the responses, after scoreClip"),
  metric("ppo/std_scores", "reward", ">= 0", "above 0: equal scores teach nothing", "sample standard deviation of the scores"),
  metric("ppo/learning_rate", "", ">= 0", "follows its schedule", "learning rate used in this step"),
  metric("ppo/loss/policy", "", "any", "near 0, no trend; it is not progress", "clipped policy loss, mean over optimiser batches"),
  metric("ppo/loss/value", "reward^2", ">= 0", "falls, then flat", "clipped value loss, half squared error"),
  metric("ppo/loss/total", "", "any", "no trend needed", "policy + valueCoefficient * value - entropyCoefficient * entropy"),
  metric("ppo/policy/entropy", "nats a token", "0 to ln V", "falls slowly; a crash to 0 is collapse", "entropy of the next-token distribution"),
  metric("ppo/policy/approxkl", "nats a token", ">= 0", "1e-4 to 0.05", "half the squared log-ratio to the policy that drew the tokens"),
  metric("ppo/policy/policykl", "nats a token", "any", "near approxkl", "old minus new log-probability"),
  metric("ppo/policy/clipfrac", "", "0 to 1", "0 to 0.3", "share of tokens whose policy loss was raised by clipping"),
  metric("ppo/policy/advantages_mean", "", "any", "0 when whitened", "mean advantage as used"),
  metric("ppo/policy/ratio", "", "> 0", "close to 1; exactly 1 with one update", "mean ratio of new to old probability"),
  metric("ppo/policy/ratio_min", "", "> 0", "above 0.5", "smallest ratio of any token"),
  metric("ppo/policy/ratio_max", "", "> 0", "below 2", "largest ratio of any token"),
  metric("ppo/returns/mean", "reward", "any", "rises with the score", "mean return of a token"),
  metric("ppo/returns/var", "reward^2", ">= 0", "above 0", "sample variance of the returns"),
  metric("ppo/val/vpred", "reward", "any", "follows returns/mean", "mean value estimate during the update"),
  metric("ppo/val/error", "reward^2", ">= 0", "below returns/var", "mean squared error of the value estimates"),
  metric("ppo/val/clipfrac", "", "0 to 1", "0 to 0.3", "share of tokens whose value loss was raised by clipping"),
  metric("ppo/val/mean", "reward", "any", "follows returns/mean", "mean value estimate before the update"),
  metric("ppo/val/var", "reward^2", ">= 0", "grows towards returns/var", "sample variance of the value estimates before the update"),
  metric("ppo/val/var_explained", "", "<= 1", "rises above 0", "1 - val/error / returns/var; below 0 the value head is worse than a constant"),
  metric("ppo/grad_norm", "", ">= 0", "steady; spikes come before collapse", "global gradient norm before clipping, mean over optimiser steps"),
  metric("ppo/epochs", "passes", "0 to epochs", "equal to epochs", "passes over the rollout that were learned from; fewer after a target-KL stop"),
  metric("ppo/skipped_updates", "", "0 or 1", "0", "1 where the update was given up: a number was not finite, or no response had a score"),
  metric("sampling/logp_difference_max", "nats", ">= 0", "below 1e-3", "largest gap between the sampler's log-probability of a token and the training pass's"),
  metric("rewards/judged_count", "responses", "0 to batch", "the batch size", "responses with a score"),
  metric("rewards/null_count", "responses", "0 to batch", "0", "responses that no reward could judge; they are not learned from"),
  metric("tokens/queries_len_mean", "tokens", ">= 1", "that of the task", "mean prompt length"),
  metric("tokens/queries_len_std", "tokens", ">= 0", "that of the task", "its sample standard deviation"),
  metric("tokens/responses_len_mean", "tokens", "1 to maxNewTokens", "below maxNewTokens", "mean response length, EOS included"),
  metric("tokens/responses_len_std", "tokens", ">= 0", "above 0", "its sample standard deviation"),
  metric("tokens/finished_share", "", "0 to 1", "near 1", "share of responses that ended with EOS"),
]);

/**
 * The metrics in the table's order.
 * @throws {TypeError} where `values` lacks a name of the table, or has one that it does not know.
 */
export function orderMetrics(values: Readonly<Record<string, number>>): Record<string, number> {
  const out: Record<string, number> = {};
  for (const { name } of PPO_METRICS) {
    if (!(name in values)) throw new TypeError(`Cannot report a step as "${name}" is missing`);
    out[name] = values[name];
  }
  for (const name of Object.keys(values)) {
    if (!(name in out)) {
      throw new TypeError(`Cannot report a step as "${name}" is not in the table of metrics`);
    }
  }
  return out;
}
