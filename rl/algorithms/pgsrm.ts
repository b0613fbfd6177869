/**
 * The algorithm of the PGSRM system (Plashchinsky 2025, arXiv 2512.06920, as its published code has it):
 * REINFORCE with a learned baseline. One update a rollout, no ratio, no clip, no GAE:
 *
 *   A     = R - V(s)                    of a response, the same on each of its tokens, not whitened
 *   total = mean over tokens (-A log pi + klCoefficient * (log pi - log ref) - entropyCoefficient * H)
 *         + valueCoefficient * mean over responses (V(s) - R)^2
 *
 * V(s) is a linear layer on the last hidden state at the response's last token, from which its gradient
 * does not reach the trunk. KL is differentiated as it stands: its gradient by log pi is 1 on every token,
 * which in the mean is no push towards the reference; it is so for parity.
 * @module
 */
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
  withDefaults,
} from "../../base/options.ts";
import type {
  Advantages,
  Algorithm,
  LossInputs,
  LossResult,
  ScoredRollout,
  StepContext,
  StepFacts,
} from "../algorithm.ts";
import { lastToken, type ResponseGrid } from "../batch.ts";
import { CRITIC_ROWS, criticPhases, valueHeadNeeds } from "../critic.ts";
import { tokenKl } from "../kl.ts";
import { KL_ROWS, nextKlState, referenceNeeds } from "../kl_control.ts";
import {
  checkEntropy,
  ENTROPY_METRIC,
  ENTROPY_ROWS,
  entropyCoefficientAt,
  nextEntropy,
  startEntropy,
} from "../loss/entropy.ts";
import { emptySums } from "../loss/sums.ts";
import { metricTable } from "../metrics.ts";
import { ratesOfUpdate } from "../phases.ts";
import { mean, meanAndStd } from "../stats.ts";

const { klEstimator: _k1, ...OF_KL } = KL_ROWS; // it is always k1

// deno-fmt-ignore
const ROWS = {
  valueCoefficient: { kind: "number", default: 0.5, min: 0, usual: "0.1 to 1", doc: "weight of the value loss", group: "Loss" },
  ...withDefaults(ENTROPY_ROWS, { entropyCoefficient: 0.01 }),
  ...withDefaults(OF_KL, { klControl: "stepwise", klCoefficient: 5e-5, klTarget: 0.8, klTargetUnit: "token" }),
  ...withDefaults(CRITIC_ROWS, { valueLearningRate: 1e-4, detachValue: true, clipApart: true }),
} as const satisfies OptionRows;

/** Settings of PGSRM's algorithm. The defaults are those of its code. */
export type PgsrmConfig = OptionValues<typeof ROWS>;

// deno-fmt-ignore
const METRICS = metricTable([
  "kl/reference", "kl/coefficient", "policy/sequence_entropy", "score/mean", "score/std", "optimizer/learning_rate", ENTROPY_METRIC,
  ["loss/policy", "", "any", "near 0, no trend; it is not progress", "-A log pi, mean over tokens", "Large and growing: lower learningRate.", ""],
  ["loss/value", "reward^2", ">= 0", "falls, then flat", "squared error of the value of a response, mean over responses", "Rising: lower valueLearningRate.", ""],
  ["loss/kl", "nats", "any", "small", "log-ratio to the reference, mean over tokens, before its coefficient", "Growing fast: raise klCoefficient or lower learningRate.", ""],
  "loss/total", "policy/entropy", "policy/approxkl", "policy/policykl", "advantages/mean", "policy/ratio", "policy/ratio_min", "policy/ratio_max",
  ["value/mean", "reward", "any", "follows score/mean", "mean value of a response before the update", "Stuck: raise valueLearningRate.", ""],
  ["value/explained_variance", "", "<= 1", "rises above 0", "1 - loss/value / variance of the scores; below 0 the value head is worse than a constant", "Below 0 for long: raise valueLearningRate, or set criticWarmup.", ""],
  ["value/learning_rate", "", ">= 0", "follows its schedule", "learning rate of the value head in this step", "Set valueLearningRate and learningRateSchedule.", ""],
  "optimizer/grad_norm", "optimizer/epochs", "optimizer/skipped_updates", "sampling/logp_difference_max", "rewards/scored_count",
  "rewards/null_count", "tokens/queries_len_mean", "tokens/queries_len_std", "tokens/responses_len_mean", "tokens/responses_len_std",
  "tokens/finished_share",
]);

/** The rows that count: their numbers, and the slot of the last token of each. */
const lastSlots = (grid: ResponseGrid): { b: number; at: number }[] =>
  Array.from({ length: grid.B }, (_, b) => ({ b, at: b * grid.T + lastToken(grid, b) }))
    .filter(({ b, at }) => at >= b * grid.T);

function advantages(
  { grid, score, old: { logprob, value }, reference }: ScoredRollout,
): Advantages {
  const { B, T, mask } = grid;
  const advantage = new Float32Array(B * T), returns = new Float32Array(B * T);
  for (const { b, at } of lastSlots(grid)) {
    for (let i = b * T; i < (b + 1) * T; i++) {
      if (!mask[i]) continue;
      advantage[i] = score[b] - value![at];
      returns[i] = score[b];
    }
  }
  return {
    advantage,
    returns,
    ...(reference && { kl: tokenKl(mask, { logprob, reference, estimator: "k1" }) }),
  };
}

/** The loss of some rows, and its gradient with respect to log-probabilities, entropies and values. */
export function pgsrmLoss(
  { grid, logprob, value, reference, advantage, returns, rows }: LossInputs,
  weight: Float64Array,
  context: StepContext<PgsrmConfig>,
): LossResult {
  const { mask } = grid, last = lastSlots(grid), each = 1 / (rows ?? last.length);
  const entropyCoefficient = entropyCoefficientAt(context);
  const { config: { valueCoefficient }, state: { klCoefficient } } = context;
  const [dlogprob, dentropy, dvalue] = [0, 1, 2].map(() => new Float32Array(mask.length));
  let tokens = 0, policy = 0, kl = 0, errors = 0;
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    dlogprob[i] = ((reference ? klCoefficient : 0) - advantage[i]) * weight[i];
    dentropy[i] = -entropyCoefficient * weight[i];
    tokens++;
    policy -= advantage[i] * logprob[i];
    kl += reference ? logprob[i] - reference[i] : 0;
  }
  for (const { at } of last) {
    const error = value![at] - returns![at];
    errors += error ** 2 * each;
    dvalue[at] = 2 * valueCoefficient * error * each;
  }
  const sum = { "loss/policy": policy, "loss/kl": kl }, weighted = { "loss/value": errors };
  return {
    sums: { ...emptySums(), tokens, sum, weighted },
    gradient: { dlogprob, dentropy, dvalue },
  };
}

/** What is not a mean of the loss's sums. */
function report(facts: StepFacts<PgsrmConfig>): Record<string, number> {
  const { experience: { grid, score, old, kl }, update, state } = facts, last = lastSlots(grid);
  const error = mean((update.critic ?? update.batches).map((of) => of.weighted["loss/value"]));
  const variance = meanAndStd(Float64Array.from(last, ({ b }) => score[b])).std ** 2;
  return {
    "kl/coefficient": kl ? state.klCoefficient : NaN,
    ...(!kl && { "kl/reference": NaN, "loss/kl": NaN }),
    "entropy/coefficient": entropyCoefficientAt(facts),
    "loss/value": error,
    "value/mean": mean(Float64Array.from(last, ({ at }) => old.value![at])),
    "value/explained_variance": variance > 0 ? 1 - error / variance : NaN,
    "value/learning_rate": ratesOfUpdate(pgsrm, facts).value,
  };
}

/** PGSRM's algorithm. */
export const pgsrm: Algorithm<PgsrmConfig> = {
  name: "pgsrm",
  summary: "policy gradient with one learned baseline a response, KL in the loss",
  paper: "Plashchinsky 2025, arXiv 2512.06920",
  options: defineOptions("PGSRM", ROWS) as OptionTable<PgsrmConfig>,
  trainerDefaults: { epochs: 1, learningRate: 1e-5 },
  metrics: METRICS,
  needs(config) {
    checkEntropy(config);
    const head = { ...valueHeadNeeds(config), at: "own" } as const;
    return { value: true, head, ...referenceNeeds(config), groupSize: 1 };
  },
  phases: ({ config, step }) => criticPhases(config, step),
  start: (config) => ({ klCoefficient: config.klCoefficient, ...startEntropy(config) }),
  next: (facts) => ({ ...nextKlState(facts), ...nextEntropy(facts) }),
  advantages,
  loss: pgsrmLoss,
  total: (means, context) =>
    means["loss/policy"] + context.state.klCoefficient * means["loss/kl"] +
    context.config.valueCoefficient * means["loss/value"] -
    entropyCoefficientAt(context) * means["policy/entropy"],
  report,
};
