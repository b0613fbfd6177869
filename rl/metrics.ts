/**
 * Every number that a step reports: name, unit, what is possible and what is healthy. Those that any
 * algorithm can report are stated here, an algorithm's own in its file; it lists all in the order of the
 * columns. A number that does not exist (the loss of a step without an update) is NaN, never 0.
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
  /** What to do where it is not healthy. */
  remedy: string;
  /** The column's name in TRL 0.11, and in runs of earlier versions; "" where there is none. */
  alias: string;
}

type Row = readonly [
  name: string,
  unit: string,
  range: string,
  healthy: string,
  meaning: string,
  remedy: string,
  alias: string,
];

const info = ([name, unit, range, healthy, meaning, remedy, alias]: Row): MetricInfo =>
  Object.freeze({ name, unit, range, healthy, meaning, remedy, alias });

/** What the trainer reports of any algorithm, by name. */
// deno-fmt-ignore
const COMMON: ReadonlyMap<string, MetricInfo> = new Map(([
  ["kl/reference", "nats per sequence", "any; true KL is >= 0", "rises slowly, stays under about 10", "estimate of KL(policy || reference), summed over a response, mean over responses; with referenceSync the reference is the one last synced, not the start of the run", "Above: raise klCoefficient or lower learningRate. Far below 0: sampler and training pass disagree; look at sampling/logp_difference_max.", "objective/kl"],
  ["kl/coefficient", "reward per nat", ">= 0", "changes slowly", "KL coefficient used in this step", "If it runs away under klControl=adaptive, klTarget is out of reach; raise it, or use klControl=fixed.", "objective/kl_coef"],
  ["kl/penalty_mean", "reward per token", "any", "small beside the score", "mean KL penalty of a token, with its sign", "Where it outweighs the score, the penalty is what is learned; lower klCoefficient.", "ppo/mean_non_score_reward"],
  ["policy/sequence_entropy", "nats per sequence", ">= 0", "falls slowly, not to 0", "-log-probability of a response as drawn, mean over responses", "Near 0 early: raise klCoefficient or entropyCoefficient, or lower learningRate.", "objective/entropy"],
  ["score/mean", "reward", "that of the reward", "rises", "mean score of the responses, after scoreScaling and scoreClip", "Flat: see whether score/std is above 0; then raise learningRate, the batch size or steps. Read completions.csv: a score that rises on nonsense is a flaw of the reward.", "ppo/mean_scores"],
  ["score/std", "reward", ">= 0", "above 0 until the task is learned: equal scores teach nothing", "sample standard deviation of the scores", "At 0 every response scored the same: raise temperature, use a reward with more than two values, or an easier task.", "ppo/std_scores"],
  ["optimizer/learning_rate", "", ">= 0", "follows its schedule", "learning rate used in this step", "Set learningRate, learningRateSchedule and warmupSteps.", "ppo/learning_rate"],
  ["loss/total", "", "any", "no trend needed", "the loss whose gradient is taken, mean over optimiser batches", "Look at its parts.", "ppo/loss/total"],
  ["policy/entropy", "nats per token", "0 to ln V", "falls slowly; a crash to 0 is collapse", "entropy of the next-token distribution", "Crash: lower learningRate, raise klCoefficient or entropyCoefficient. Rising: lower entropyCoefficient.", "ppo/policy/entropy"],
  ["policy/approxkl", "nats per token", ">= 0", "up to 0.3 in the first steps, then below 0.06, falling with the learning rate", "half the squared log-ratio to the policy that drew the tokens", "Above 1 the policy has left the one that drew: lower learningRate or epochs, or set targetKl. Below 1e-4 from the first step on: the steps are too small to learn from; raise learningRate.", "ppo/policy/approxkl"],
  ["policy/policykl", "nats per token", "any", "near approxkl; below 0 only where both are small", "old minus new log-probability", "As policy/approxkl.", "ppo/policy/policykl"],
  ["advantages/mean", "", "any", "0 when whitened", "mean advantage as used", "Away from 0 under whitening is a fault of the code; under whitenAdvantages=off it is returns/mean less value/mean.", "ppo/policy/advantages_mean"],
  ["policy/ratio", "", "> 0", "0.95 to 1.05; exactly 1 with one update and no kept groups", "mean ratio of new to old probability", "Away from 1: lower learningRate or epochs. Away from 1 with one epoch, one minibatch and no groups/kept is a fault of the code.", "ppo/policy/ratio"],
  ["policy/ratio_min", "", "> 0", "0.02 to 0.1 in the first steps, then rising towards 1", "smallest ratio of any token", "Below 1e-4 or falling: lower learningRate or epochs.", "ppo/policy/ratio_min"],
  ["policy/ratio_max", "", "> 0", "up to 10 in the first step, then below 2.5", "largest ratio of any token", "Above later: lower learningRate or epochs.", "ppo/policy/ratio_max"],
  ["optimizer/grad_norm", "", ">= 0", "of the size that it has in the first steps; spikes come before collapse", "global gradient norm before clipping, mean over optimiser steps", "Spikes: lower maxGradNorm or learningRate.", "ppo/grad_norm"],
  ["optimizer/epochs", "passes", "0 to epochs", "equal to epochs", "passes over the rollout that were learned from; fewer after a target-KL stop", "Fewer at every step: lower learningRate, or raise targetKl.", "ppo/epochs"],
  ["optimizer/skipped_updates", "", "0 or 1", "0", "1 where the update was skipped: a number was not finite, or no response had a score", "At 1: after three in a row training stops and says which number was not finite. Lower learningRate, or fix the reward.", "ppo/skipped_updates"],
  ["sampling/logp_difference_max", "nats", ">= 0", "below 1e-3; near 1e-6 in f32 on one device", "largest gap between the sampler's log-probability of a token and the training pass's", "Above: on one device and in f32 this is a fault of the code, though the score may rise all the same; run deno task test.", ""],
  ["groups/draws", "draws", "1 to maxDraws", "1 to 3", "draws that the step took, each of a batch's size", "At maxDraws: hardly a group has scores that differ; as groups/evicted.", ""],
  ["groups/evicted", "groups", "0 to draws x batch", "below half of what is drawn", "groups drawn in the step that are not learned from as all their scores are equal (fewer than two count as equal); 0 without dynamicSampling", "Above: the task is solved, or too hard for the model. Raise temperature or groupSize, or use a reward with more values; a solved task has nothing more to teach.", ""],
  ["groups/kept", "groups", "0 to batch", "below half the batch", "groups learned from that the step before drew, whose ratio does not start at 1", "To have none: surplusGroups=discard.", ""],
  ["groups/learned", "groups", "0 to batch", "batchSize / groupSize", "groups learned from", "Below: maxDraws was reached; raise it, or see groups/evicted. At 0 there is no update, and no fault.", ""],
  ["groups/surplus", "groups", "0 to batch", "below half the batch", "groups with scores that differ beyond a full batch; kept for the next step, or discarded (surplusGroups)", "Not a number to steer by.", ""],
  ["rewards/scored_count", "responses", "0 to what is drawn", "all that is drawn", "responses with a score", "Below: see rewards/null_count.", "rewards/judged_count"],
  ["rewards/null_count", "responses", "0 to what is drawn", "0", "responses that no reward could score; they are not learned from", "Above: the rewards' own counts say why.", ""],
  ["tokens/queries_len_mean", "tokens", ">= 1", "that of the task", "mean prompt length", "Not a number to steer by; it changes only where the task's prompts do.", ""],
  ["tokens/queries_len_std", "tokens", ">= 0", "that of the task", "its sample standard deviation", "As tokens/queries_len_mean.", ""],
  ["tokens/responses_len_mean", "tokens", "1 to maxNewTokens", "below maxNewTokens, or steady at it where answers have a fixed length", "mean response length, EOS included", "At maxNewTokens: responses are cut off; raise maxNewTokens. Growing without the score: the reward pays for length.", ""],
  ["tokens/responses_len_std", "tokens", ">= 0", "above 0, where lengths may differ", "its sample standard deviation", "At 0 all responses have one length; natural where maxNewTokens is 1 or 2.", ""],
  ["tokens/finished_share", "", "0 to 1", "near 1", "share of responses that ended with EOS", "Below: raise maxNewTokens, or reward a clear end. Short answers of a fixed length may never end with EOS.", ""],
] as const).map((row) => [row[0], info(row)]));

/** Names of the metrics that the trainer reports of any algorithm without KL penalty, value head or groups. */
export const PLAIN_METRICS: readonly string[] = [...COMMON.keys()]
  .filter((name) => !/^(kl|groups)\//.test(name));

/**
 * An algorithm's metrics in the order of the columns: a name stands for a common one, a row for its own.
 * @throws {TypeError} for a name that is not common, or one that comes twice
 */
export function metricTable(rows: readonly (string | Row)[]): readonly MetricInfo[] {
  const table = rows.map((row) => {
    if (typeof row !== "string") return info(row);
    const common = COMMON.get(row);
    if (!common) {
      throw new TypeError(`Cannot list the metric "${row}" as no common one is named so`);
    }
    return common;
  });
  const names = table.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new TypeError(`Cannot list the metric "${twice}" twice`);
  return Object.freeze(table);
}

/**
 * The metrics in a table's order; common ones that it does not name are left out.
 * @throws {TypeError} where `values` lacks a name of the table, or has one that is neither its nor common
 */
export function orderMetrics(
  table: readonly MetricInfo[],
  values: Readonly<Record<string, number>>,
): Record<string, number> {
  const out: Record<string, number> = {};
  for (const { name } of table) {
    if (!Object.hasOwn(values, name)) {
      throw new TypeError(`Cannot report a step as "${name}" is missing`);
    }
    out[name] = values[name];
  }
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(out, name) && !COMMON.has(name)) {
      throw new TypeError(`Cannot report a step as "${name}" is not in the table of metrics`);
    }
  }
  return out;
}

/** The present name of a column of any run: earlier versions had TRL's. Unknown names stay. */
export function currentName(column: string, table: readonly MetricInfo[]): string {
  return table.find(({ alias }) => alias !== "" && alias === column)?.name ?? column;
}
