/**
 * The frame of the algorithms without a value head. Each is told apart by two things, which its file
 * states: how scores become advantages, and the policy loss of one response. What they share is here:
 *
 *   total = sum w (policy + klCoefficient * KL - entropyCoefficient * H)
 *
 * with w the normaliser, the KL of loss/kl_term.ts where it is in the loss, and H the entropy.
 * @module
 */
import {
  defineOptions,
  type OptionRows,
  type OptionValue,
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
} from "../algorithm.ts";
import { keepRows, type Numbers } from "../batch.ts";
import { groupAdvantages, type GroupConfig } from "../group.ts";
import { tokenKl } from "../kl.ts";
import { KL_ROWS, nextKlCoefficient } from "../kl_control.ts";
import { ENTROPY_ROWS, entropyCoefficientAt } from "../loss/entropy.ts";
import { KL_GRADIENTS, klTerm } from "../loss/kl_term.ts";
import { NORMALISER_ROWS, normaliserWeights } from "../loss/normalise.ts";
import { OFF_POLICY_ROWS, offPolicyWeights } from "../loss/off_policy.ts";
import type { PolicyLoss } from "../loss/response.ts";
import { emptySums } from "../loss/sums.ts";
import { metricTable } from "../metrics.ts";
import { meanRowSum } from "../stats.ts";
import type { TrainerConfig } from "../trainer_options.ts";

// deno-fmt-ignore
const SHARED_ROWS = {
  ...NORMALISER_ROWS,
  maskTruncated: { kind: "boolean", default: false, doc: "responses that were cut off are not learned from", group: "Loss" },
  ...ENTROPY_ROWS,
  ...OFF_POLICY_ROWS,
  klIn: { kind: "choice", choices: ["loss", "reward"], default: "loss", doc: "where KL to the reference is paid: a term of the loss, or taken off each response's score", group: "KL penalty" },
  klGradient: { kind: "choice", choices: KL_GRADIENTS, default: "k3", doc: "in the loss: what its gradient is the derivative of; unbiased is k3 times the ratio", group: "KL penalty" },
  ...withDefaults(KL_ROWS, { klEstimator: "k3", klControl: "fixed", klCoefficient: 0 }),
} as const satisfies OptionRows;

/** Settings that every algorithm without a value head has. */
export type CriticFreeConfig = OptionValues<typeof SHARED_ROWS>;

/** A scored rollout, and what KL to the reference takes off its scores. */
export interface Rewarded extends ScoredRollout {
  /** (B) The score with the penalty of the whole response. */
  reward: Float64Array;
  /** (B, T) -klCoefficient * KL of each token; absent where KL is not in the reward. */
  penalty?: Float32Array;
}

/** What one of them adds. */
export interface CriticFree<R extends OptionRows> {
  name: string;
  summary: string;
  paper: string;
  /** Its own settings, before the shared ones. */
  rows: R;
  /** Where it wants other defaults of the shared settings. */
  defaults?: Readonly<Partial<Record<keyof typeof SHARED_ROWS, OptionValue>>>;
  trainerDefaults?: Readonly<Partial<TrainerConfig>>;
  /** Completions of a prompt that are compared with each other. */
  groupSize: (config: Readonly<OptionValues<R>>) => number;
  /** (B, T) */
  advantages: (
    rewarded: Rewarded,
    config: Readonly<OptionValues<R>>,
  ) => Pick<Advantages, "advantage" | "facts">;
  loss: PolicyLoss<OptionValues<R>>;
}

// deno-fmt-ignore
const METRICS = metricTable([
  "kl/reference", "kl/coefficient", "kl/penalty_mean", "policy/sequence_entropy", "score/mean", "score/std",
  ["groups/equal_share", "", "0 to 1", "below 0.5", "share of the groups whose scores are all equal, so that they teach nothing", "Above: the task is too easy or too hard for the model, or groupSize too small; raise temperature, or use a reward with more values.", ""],
  "optimizer/learning_rate",
  ["loss/policy", "", "any", "near 0, no trend; it is not progress", "policy loss, by the normaliser", "Large and growing: lower learningRate or epochs.", ""],
  ["loss/kl", "nats", "by the estimator", "small", "KL to the reference in the loss, by the normaliser, before its coefficient", "Growing fast: raise klCoefficient or lower learningRate.", ""],
  ["loss/entropy", "nats", ">= 0", "as policy/entropy", "entropy by the normaliser, before its coefficient", "As policy/entropy.", ""],
  "loss/total", "policy/entropy", "policy/approxkl", "policy/policykl",
  ["policy/clipfrac", "", "0 to 1", "0 to 0.3", "share of tokens whose policy loss was clipped", "Above: lower learningRate or epochs.", ""],
  "advantages/mean", "policy/ratio", "policy/ratio_min", "policy/ratio_max",
  "optimizer/grad_norm", "optimizer/epochs", "optimizer/skipped_updates", "sampling/logp_difference_max", "rewards/scored_count",
  "rewards/null_count", "tokens/queries_len_mean", "tokens/queries_len_std", "tokens/responses_len_mean", "tokens/responses_len_std",
  "tokens/finished_share",
]);

/** (B, T): each response's number on every token of it that counts. */
export function onTokens({ mask, T }: { mask: Uint8Array; T: number }, x: Numbers): Float32Array {
  return Float32Array.from(mask, (counts, i) => counts ? x[Math.floor(i / T)] : 0);
}

/** Advantages of responses within their groups; see group.ts. */
export function ofGroups(
  { grid, scored, reward }: Rewarded,
  config: GroupConfig,
): Pick<Advantages, "advantage" | "facts"> {
  const { advantage, equalShare } = groupAdvantages(reward, scored, config);
  return { advantage: onTokens(grid, advantage), facts: { "groups/equal_share": equalShare } };
}

/** An algorithm of the frame. */
export function criticFree<const R extends OptionRows>(
  { name, summary, paper, rows, defaults = {}, ...own }: CriticFree<R>,
): Algorithm<OptionValues<R> & CriticFreeConfig> {
  type C = OptionValues<R> & CriticFreeConfig;
  const options = defineOptions(name, { ...rows, ...withDefaults(SHARED_ROWS, defaults) });
  const paysKl = ({ klCoefficient, klControl, klFinal }: CriticFreeConfig): boolean =>
    klCoefficient > 0 || klControl === "linear" && klFinal > 0;
  return {
    name,
    summary,
    paper,
    options: options as unknown as Algorithm<C>["options"],
    trainerDefaults: { epochs: 1, ...own.trainerDefaults },
    metrics: METRICS,
    needs: (config) => ({
      value: false,
      reference: paysKl(config),
      groupSize: own.groupSize(config),
    }),
    start: ({ klCoefficient }) => ({ klCoefficient }),
    next({ config, step, state, experience: { kl, grid, scored }, update: { fault } }) {
      if (!kl) return state;
      const klCoefficient = nextKlCoefficient(state.klCoefficient, config, {
        step,
        totalSteps: config.totalSteps,
        kl: meanRowSum(kl, grid),
        episodes: scored.filter((is) => is).length,
        skipped: fault !== undefined,
      });
      return { klCoefficient };
    },
    advantages(rollout, { config, state: { klCoefficient } }) {
      const kl = klOf(rollout, config), { T } = rollout.grid;
      const penalty = config.klIn === "reward"
        ? kl?.map((nats) => -klCoefficient * nats)
        : undefined;
      const reward = Float64Array.from(
        rollout.score,
        (score, b) =>
          penalty?.subarray(b * T, (b + 1) * T).reduce((sum, x) => sum + x, score) ?? score,
      );
      return { ...own.advantages({ ...rollout, reward, penalty }, config), kl, penalty };
    },
    weights({ grid, rows, finished }, { config }) {
      const kept = config.maskTruncated ? keepRows(grid, finished) : grid;
      return normaliserWeights(kept, config, { rows, longest: config.maxNewTokens });
    },
    loss: (piece, weight, context) => wholeLoss(own.loss, piece, { weight, context }),
    total: (means, context) =>
      means["loss/policy"] + context.state.klCoefficient * means["loss/kl"] -
      entropyCoefficientAt(context) * means["loss/entropy"],
    report: ({ state, experience: { kl, penalty } }) => ({
      "kl/coefficient": kl ? state.klCoefficient : NaN,
      ...(!kl && { "kl/reference": NaN }),
      ...(!penalty && { "kl/penalty_mean": NaN }),
    }),
  };
}

function klOf(
  { grid: { mask }, old: { logprob }, reference }: ScoredRollout,
  { klEstimator: estimator }: CriticFreeConfig,
): Float32Array | undefined {
  return reference && tokenKl(mask, { logprob, reference, estimator });
}

/** Policy loss, KL and entropy of some rows, with their gradients. */
function wholeLoss<C>(
  policyLoss: PolicyLoss<C>,
  piece: LossInputs,
  { weight, context }: { weight: Float64Array; context: StepContext<C & CriticFreeConfig> },
): LossResult {
  const { grid: { B, T, mask }, logprob, entropy, oldLogprob, sampled, reference } = piece;
  const { config, state: { klCoefficient } } = context;
  const entropyCoefficient = entropyCoefficientAt(context);
  const dlogprob = new Float32Array(B * T), dentropy = new Float32Array(B * T);
  let tokens = 0, policy = 0, clipped = 0, kl = 0, H = 0;
  for (let b = 0; b < B; b++) {
    const at = slotsOf(mask, b * T, T);
    if (at.length === 0) continue;
    const take = (x: Numbers) => Float64Array.from(at, (i) => x[i]);
    const tokensOf = { logprob: take(logprob), oldLogprob: take(oldLogprob) };
    const advantage = take(piece.advantage);
    const drawn = { ...tokensOf, sampled: take(sampled), advantage: advantage[0] };
    const factor = offPolicyWeights(drawn, config);
    const of = policyLoss(
      { ...tokensOf, advantage, weight: factor.map((w, t) => w * weight[at[t]]) },
      config,
    );
    policy += of.loss;
    clipped += of.clipped;
    tokens += at.length;
    at.forEach((i, t) => {
      const w = weight[i];
      H += w * entropy[i];
      dentropy[i] = -entropyCoefficient * w;
      dlogprob[i] = of.gradient[t];
      if (!reference || config.klIn !== "loss") return;
      const term = klTerm(
        { logprob: logprob[i], oldLogprob: oldLogprob[i], reference: reference[i] },
        config,
      );
      kl += w * term.value;
      dlogprob[i] = of.gradient[t] + klCoefficient * w * term.gradient;
    });
  }
  const sums = {
    ...emptySums(),
    tokens,
    sum: { "policy/clipfrac": clipped },
    weighted: { "loss/policy": policy, "loss/kl": kl, "loss/entropy": H },
  };
  return { sums, gradient: { dlogprob, dentropy } };
}

/** Slots of one row whose tokens count. */
const slotsOf = (mask: Uint8Array, from: number, T: number): number[] =>
  Array.from({ length: T }, (_, t) => from + t).filter((i) => mask[i]);
