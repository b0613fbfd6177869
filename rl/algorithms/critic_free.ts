/**
 * The frame of the algorithms without a value head. Each is told apart by two things, which its file
 * states: how scores become advantages, and the policy loss of one response. What they share is here
 * and in loss/critic_free.ts.
 * @module
 */
import {
  defineOptions,
  type OptionRows,
  type OptionValue,
  type OptionValues,
  withDefaults,
} from "../../base/options.ts";
import type { Advantages, Algorithm, Needs, ScoredRollout } from "../algorithm.ts";
import type { Numbers } from "../batch.ts";
import { type DynamicSamplingConfig, dynamicSamplingOf } from "../dynamic_sampling.ts";
import { tokenRewards } from "../gae.ts";
import { columnAdvantages, groupAdvantages, type GroupConfig } from "../group.ts";
import { tokenKl } from "../kl.ts";
import { needsReference, nextKlState, referenceNeeds } from "../kl_control.ts";
import {
  CRITIC_FREE_ROWS,
  type CriticFreeConfig,
  criticFreeLoss,
  fullKlIn,
  learnedOf,
} from "../loss/critic_free.ts";
import { checkEntropy, entropyCoefficientAt, nextEntropy, startEntropy } from "../loss/entropy.ts";
import { topEntropy } from "../loss/entropy_share.ts";
import { normaliserWeights } from "../loss/normalise.ts";
import type { PolicyLoss } from "../loss/response.ts";
import type { metricTable } from "../metrics.ts";
import { type OverlongConfig, withOverlong } from "../overlong.ts";
import type { TrainerConfig } from "../trainer_options.ts";
import { criticFreeMetrics, reportOf } from "./critic_free_metrics.ts";

/** A scored rollout, and what KL to the reference takes off its scores. */
export interface Rewarded extends ScoredRollout {
  /** (B, T) On each token the KL penalty, where KL is in the reward; on the last one also the score. */
  tokenReward: Float32Array;
  /** (B) The score with the penalties of the whole response: for its length, and KL where it is in the reward. */
  reward: Float64Array;
}

/** What one of them adds. */
export interface CriticFree<R extends OptionRows> {
  name: string;
  summary: string;
  paper: string;
  /** Its own settings, before the shared ones; groups are compared where `groupSize` is among them. */
  rows: R;
  /** Where it wants other defaults of the shared settings. */
  defaults?: Readonly<Partial<Record<keyof typeof CRITIC_FREE_ROWS, OptionValue>>>;
  trainerDefaults?: Readonly<Partial<TrainerConfig>>;
  /** Metrics of its own. */
  metrics?: Parameters<typeof metricTable>[0];
  greedyBaseline?: boolean;
  /** True where its ratio is the mean of a response's, so that KL can be multiplied by that. */
  sequenceRatio?: boolean;
  /** (B, T). Default: scores compared within their groups, by the settings of `GROUP_ROWS`. */
  advantages?: (
    rewarded: Rewarded,
    config: Readonly<OptionValues<R>>,
  ) => Pick<Advantages, "advantage" | "facts">;
  loss: PolicyLoss<OptionValues<R>>;
}

/** (B, T): each response's number on every token of it that counts. */
export function onTokens({ mask, T }: { mask: Uint8Array; T: number }, x: Numbers): Float32Array {
  return Float32Array.from(mask, (counts, i) => counts ? x[Math.floor(i / T)] : 0);
}

/** Advantages of responses within their groups; see group.ts. */
function ofGroups(
  { grid, scored, reward, columns }: Rewarded,
  config: GroupConfig,
): Pick<Advantages, "advantage" | "facts"> {
  const { advantage, equalShare } = config.rewardAggregation === "normalise-then-sum"
    ? columnAdvantages(columns, scored, config)
    : groupAdvantages(reward, scored, config);
  return { advantage: onTokens(grid, advantage), facts: { "groups/equal_share": equalShare } };
}

/** An algorithm of the frame. */
export function criticFree<const R extends OptionRows>(
  { name, summary, paper, rows, defaults = {}, ...own }: CriticFree<R>,
): Algorithm<OptionValues<R> & CriticFreeConfig> {
  type C = OptionValues<R> & CriticFreeConfig;
  const advantages = own.advantages ?? (ofGroups as NonNullable<CriticFree<R>["advantages"]>);
  const shared = withDefaults(CRITIC_FREE_ROWS, defaults);
  const options = defineOptions(name, {
    ...{ ...rows, ...shared },
    ...(own.sequenceRatio && { klGradient: { ...shared.klGradient, check: undefined } }),
  });
  return {
    name,
    summary,
    paper,
    options: options as unknown as Algorithm<C>["options"],
    trainerDefaults: { epochs: 1, ...own.trainerDefaults },
    metrics: criticFreeMetrics(rows, own.metrics),
    needs(config) {
      checkAggregation(name, config);
      checkEntropy(config);
      return { greedyBaseline: own.greedyBaseline, ...needsIn(config) };
    },
    start: (config) => ({ klCoefficient: config.klCoefficient, ...startEntropy(config) }),
    next: (facts) => ({ ...nextKlState(facts), ...nextEntropy(facts) }),
    advantages(rollout, { config, state: { klCoefficient } }) {
      const { grid, grid: { mask }, old, reference } = rollout;
      const { score } = withOverlong(rollout, config);
      const kl = reference && tokenKl(mask, { ...old, reference, estimator: config.klEstimator });
      const paid = config.klIn === "reward" ? kl : undefined;
      const { reward: tokenReward, penalty } = tokenRewards(grid, {
        kl: paid ?? new Float32Array(mask.length),
        score,
        coefficient: klCoefficient,
      });
      const reward = responseRewards(score, grid, penalty);
      const { advantage, facts } = advantages({ ...rollout, tokenReward, reward }, config);
      const policyWeight = config.entropyShare < 1
        ? topEntropy(learnedOf(rollout, config).mask, rollout.old.entropy, config.entropyShare)
        : undefined;
      const all = { "groups/equal_share": NaN, ...facts };
      return { advantage, kl, penalty: paid && penalty, policyWeight, facts: all };
    },
    weights({ grid, rows, finished }, { config }) {
      const learned = learnedOf({ grid, rollout: { finished } }, config);
      return normaliserWeights(learned, config, { rows, longest: config.maxNewTokens });
    },
    loss: (piece, weight, context) => criticFreeLoss(own.loss, piece, { weight, context }),
    total: (means, context) =>
      means["loss/policy"] + context.state.klCoefficient * means["loss/kl"] -
      entropyCoefficientAt(context) * means["loss/entropy"],
    report: (facts) => ({
      ...reportOf(facts),
      ...("overlongCache" in rows &&
        { "score/overlong_mean": withOverlong(facts.experience, facts.config).mean }),
    }),
  };
}

/** What they need with these settings; a setting that an algorithm does not have is off. */
function needsIn(config: CriticFreeConfig & Partial<GroupConfig & DynamicSamplingConfig>): Needs {
  const { groupSize = 1 } = config, dynamicSampling = dynamicSamplingOf(config);
  const needs = referenceNeeds(config), kl = needs.reference ? fullKlIn(config) : undefined;
  return { value: false, ...needs, kl, groupSize, dynamicSampling };
}

/** @throws {RangeError} where a penalty would be taken off a sum of rewards that nobody takes */
function checkAggregation(
  name: string,
  config: CriticFreeConfig & Partial<GroupConfig & OverlongConfig>,
): void {
  if (config.rewardAggregation !== "normalise-then-sum") return;
  const cannot = (penalty: string, now: string) =>
    new RangeError(
      `Cannot train with ${name} as rewardAggregation=normalise-then-sum has no sum of rewards that ` +
        `${penalty} could be taken off: ${now}`,
    );
  if (config.overlongCache) {
    throw cannot("a penalty on length", `overlongCache is ${config.overlongCache}; set it to 0`);
  }
  if (config.klIn === "reward" && needsReference({ ...config, klMeasured: false })) {
    throw cannot("KL", "klIn is reward; set klIn=loss, or klCoefficient=0");
  }
}

/** (B) Each response's score with the penalties of its tokens. */
const responseRewards = (
  score: Float32Array,
  { T }: { T: number },
  penalty: Float32Array,
): Float64Array =>
  Float64Array.from(
    score,
    (of, b) => penalty.subarray(b * T, (b + 1) * T).reduce((sum, x) => sum + x, of),
  );
