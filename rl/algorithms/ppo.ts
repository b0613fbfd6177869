/**
 * Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) of a language policy, as in TRL
 * 0.11: a KL penalty on every token, the score on the last one, GAE, whitened advantages, and for each
 * optimiser batch
 *
 *   total = sum w (policy + valueCoefficient * value - entropyCoefficient * H)
 *
 * with `policy` of loss/clipped_ratio.ts, `value` of loss/value.ts, H the entropy, and the weights w those of a
 * mean over tokens.
 * @module
 */
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
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
import { CRITIC_ROWS, criticPhases, criticReport, valueHeadNeeds } from "../critic.ts";
import { gae, lastValues, lengthLambda, tokenRewards } from "../gae.ts";
import { tokenKl } from "../kl.ts";
import { KL_ROWS, nextKlState, rewardKlNeeds } from "../kl_control.ts";
import { CLIP_ROWS, clippedLoss } from "../loss/clipped_ratio.ts";
import {
  checkEntropy,
  ENTROPY_METRIC,
  ENTROPY_ROWS,
  entropyCoefficientAt,
  nextEntropy,
  startEntropy,
} from "../loss/entropy.ts";
import { emptySums } from "../loss/sums.ts";
import { valueLoss } from "../loss/value.ts";
import { metricTable } from "../metrics.ts";
import { maskedMean, maskedVariance, whiten } from "../stats.ts";

// deno-fmt-ignore
const ROWS = {
  ...CLIP_ROWS,
  valueClip: { kind: "number", default: 0.2, min: 0, unit: "reward", usual: "0.2 to 1", doc: "clip range of a value around its old estimate", group: "Loss" },
  valueCoefficient: { kind: "number", default: 0.1, min: 0, usual: "0.1 to 1", doc: "weight of the value loss", group: "Loss" },
  ...ENTROPY_ROWS,
  gamma: { kind: "number", default: 1, min: 0, max: 1, unit: "per token", usual: "1", doc: "discount", group: "Rewards and advantages" },
  lambda: { kind: "number", default: 0.95, min: 0, max: 1, usual: "0.9 to 1", doc: "GAE: 0 trusts the value head, 1 the rewards", group: "Rewards and advantages" },
  lambdaValue: { kind: "number", min: 0, max: 1, otherwise: "lambda", usual: "1", doc: "GAE of the value head's targets alone (VAPO)", group: "Rewards and advantages" },
  lambdaAlpha: { kind: "number", default: 0, min: 0, usual: "0, 0.05", doc: "lambda of the policy by length, 1 - 1 / max(lambdaAlpha * tokens, 1), in place of lambda (VAPO): 0 for responses of up to 1 / lambdaAlpha tokens, which is 20 at 0.05; 0 is off", group: "Rewards and advantages" },
  truncated: { kind: "choice", choices: ["zero", "value"], default: "zero", doc: "what follows a response without EOS: nothing, or its last value estimate", group: "Rewards and advantages" },
  whitenAdvantages: { kind: "choice", choices: ["sample", "population", "off"], default: "sample", doc: "advantages to mean 0, standard deviation 1, by this variance", group: "Rewards and advantages" },
  whitenRewards: { kind: "boolean", default: false, doc: "per-token rewards to standard deviation 1, mean kept", group: "Rewards and advantages" },
  ...KL_ROWS,
  ...CRITIC_ROWS,
} as const satisfies OptionRows;

/** Settings of PPO. The defaults are those of TRL 0.11 where it has the setting. */
export type PpoConfig = OptionValues<typeof ROWS>;

/** All settings of PPO, in reading order. */
export const PPO_OPTIONS: OptionTable<PpoConfig> = defineOptions("PPO", ROWS);

// deno-fmt-ignore
const METRICS = metricTable([
  "kl/reference", "kl/coefficient", "policy/sequence_entropy", "kl/penalty_mean", "score/mean", "score/std",
  "optimizer/learning_rate", ENTROPY_METRIC,
  ["loss/policy", "", "any", "near 0, no trend; it is not progress", "clipped policy loss, mean over optimiser batches", "Large and growing: lower learningRate or epochs.", "ppo/loss/policy"],
  ["loss/value", "reward^2", ">= 0", "falls, then flat", "clipped value loss, half squared error", "Rising: lower learningRate, or raise valueClip where rewards are much larger than 1.", "ppo/loss/value"],
  ["loss/total", "", "any", "no trend needed", "policy + valueCoefficient * value - entropyCoefficient * entropy", "Look at its parts.", "ppo/loss/total"],
  "policy/entropy", "policy/approxkl", "policy/policykl",
  ["policy/clipfrac", "", "0 to 1", "0 to 0.3", "share of tokens whose policy loss was raised by clipping", "Above: lower learningRate or epochs.", "ppo/policy/clipfrac"],
  "advantages/mean", "policy/ratio", "policy/ratio_min", "policy/ratio_max",
  ["returns/mean", "reward", "any", "rises with the score", "mean return of a token", "As score/mean.", "ppo/returns/mean"],
  ["returns/var", "reward^2", ">= 0", "above 0", "sample variance of the returns", "At 0 there is nothing to tell good from bad; as score/std.", "ppo/returns/var"],
  ["value/pred", "reward", "any", "rises towards returns/mean", "mean value estimate during the update", "Stuck: raise valueCoefficient or valueClip.", "ppo/val/vpred"],
  ["value/error", "reward^2", ">= 0", "falls; below returns/var once the value head has learned, which takes longer than a short run", "mean squared error of the value estimates", "Not falling: raise valueCoefficient, valueClip or epochs.", "ppo/val/error"],
  ["value/clipfrac", "", "0 to 1", "0 to 0.3", "share of tokens whose value loss was raised by clipping", "Above: raise valueClip; it is in reward units.", "ppo/val/clipfrac"],
  ["value/mean", "reward", "any", "rises towards returns/mean", "mean value estimate before the update", "Stuck: raise valueCoefficient or valueClip.", "ppo/val/mean"],
  ["value/var", "reward^2", ">= 0", "grows towards returns/var", "sample variance of the value estimates before the update", "At 0 after many steps: raise valueCoefficient.", "ppo/val/var"],
  ["value/explained_variance", "", "<= 1", "towards 1 in a long run; far below 0 in a short one that learns, as returns grow equal before the value head has found them", "1 - value/error / returns/var; below 0 the value head is worse than a constant", "Below 0 in a long run: raise valueCoefficient or valueLearningRate, or lambda towards 1 so that the estimate matters less.", "ppo/val/var_explained"],
  ["value/learning_rate", "", ">= 0", "follows its schedule", "learning rate of the value head in this step", "Set valueLearningRate and learningRateSchedule.", ""],
  "optimizer/grad_norm", "optimizer/epochs", "optimizer/skipped_updates", "sampling/logp_difference_max", "rewards/scored_count",
  "rewards/null_count", "tokens/queries_len_mean", "tokens/queries_len_std", "tokens/responses_len_mean", "tokens/responses_len_std",
  "tokens/finished_share",
]);

/** KL penalty and score become rewards, rewards become advantages and the value head's targets. */
function advantages(
  { rollout, grid, score, old, reference }: ScoredRollout,
  { config, state }: StepContext<PpoConfig>,
): Advantages {
  const { mask } = grid, { gamma, lambda, lambdaAlpha, klEstimator: estimator } = config;
  const kl = reference && tokenKl(mask, { ...old, reference, estimator });
  const { klCoefficient: coefficient } = state, { lambdaValue = lambda } = config;
  const { reward: plain, penalty } = tokenRewards(grid, {
    kl: kl ?? new Float32Array(mask.length),
    score,
    coefficient,
  });
  const variance = config.whitenAdvantages === "population" ? "population" : "sample";
  const reward = config.whitenRewards ? whiten(plain, mask, { variance, shiftMean: false }) : plain;
  const value = old.value!;
  const bootstrap = config.truncated === "value"
    ? lastValues(grid, { value, finished: rollout.finished })
    : undefined;
  const by = (lambda: number | Float64Array) =>
    gae(grid, { reward, value, gamma, lambda, bootstrap });
  const raw = by(lambdaAlpha > 0 ? lengthLambda(grid, lambdaAlpha) : lambda);
  const { returns } = lambdaAlpha > 0 || lambdaValue !== lambda ? by(lambdaValue) : raw;
  const advantage = config.whitenAdvantages === "off"
    ? raw.advantage
    : whiten(raw.advantage, mask, { variance, shiftMean: true });
  return { advantage, returns, kl, penalty: kl && penalty };
}

/** The loss of some rows, and its gradient with respect to log-probabilities, entropies and values. */
export function ppoLoss(
  { grid: { mask }, logprob, value, oldLogprob, oldValue, advantage, returns }: LossInputs,
  weight: Float64Array,
  context: StepContext<PpoConfig>,
): LossResult {
  const { config, config: { valueClip, valueCoefficient } } = context;
  const entropyCoefficient = entropyCoefficientAt(context);
  const dlogprob = new Float32Array(mask.length);
  const dentropy = new Float32Array(mask.length);
  const dvalue = new Float32Array(mask.length);
  let tokens = 0, policy = 0, clipped = 0, ofValue = 0, valueClipped = 0, values = 0, errors = 0;
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const logRatio = logprob[i] - oldLogprob[i];
    const p = clippedLoss({ logRatio, advantage: advantage[i] }, config);
    const v = valueLoss(
      { value: value![i], oldValue: oldValue![i], returns: returns![i] },
      valueClip,
    );
    dlogprob[i] = p.gradient * weight[i];
    dvalue[i] = valueCoefficient * v.gradient * weight[i];
    dentropy[i] = -entropyCoefficient * weight[i];
    tokens++;
    policy += p.loss;
    clipped += p.clipped ? 1 : 0;
    ofValue += v.loss;
    valueClipped += v.clipped ? 1 : 0;
    values += value![i];
    errors += v.error;
  }
  const sum = {
    "loss/policy": policy,
    "loss/value": ofValue,
    "policy/clipfrac": clipped,
    "value/clipfrac": valueClipped,
    "value/pred": values,
    "value/error": errors,
  };
  return { sums: { ...emptySums(), tokens, sum }, gradient: { dlogprob, dentropy, dvalue } };
}

/** What is not a mean of the loss's sums. */
function report(facts: StepFacts<PpoConfig>): Record<string, number> {
  const { experience: { grid: { mask }, returns, kl }, state } = facts;
  const ofCritic = criticReport(ppo, facts), variance = maskedVariance(returns!, mask, "sample");
  return {
    ...ofCritic,
    "kl/coefficient": kl ? state.klCoefficient : NaN,
    ...(!kl && { "kl/reference": NaN, "kl/penalty_mean": NaN }),
    "entropy/coefficient": entropyCoefficientAt(facts),
    "returns/mean": maskedMean(returns!, mask),
    "returns/var": variance,
    "value/explained_variance": variance > 0 ? 1 - ofCritic["value/error"] / variance : NaN,
  };
}

/** PPO. */
export const ppo: Algorithm<PpoConfig> = {
  name: "ppo",
  summary: "proximal policy optimisation with GAE and a KL penalty",
  paper: "Schulman et al. 2017, arXiv 1707.06347",
  options: PPO_OPTIONS,
  metrics: METRICS,
  needs(config) {
    checkEntropy(config);
    const kl = rewardKlNeeds(config);
    return { value: true, head: valueHeadNeeds(config), ...kl, groupSize: 1 };
  },
  phases: ({ config, step }) => criticPhases(config, step),
  start: (config) => ({ klCoefficient: config.klCoefficient, ...startEntropy(config) }),
  next: (facts) => ({ ...nextKlState(facts), ...nextEntropy(facts) }),
  advantages,
  loss: ppoLoss,
  total(means, context) {
    return means["loss/policy"] + context.config.valueCoefficient * means["loss/value"] -
      entropyCoefficientAt(context) * means["policy/entropy"];
  },
  report,
};
