/**
 * Rewards that all call the last one.
 *
 * What was done: a study of reward structures wrapped its reward functions in a loop, and each wrapper read
 * the loop's variable when it was called: by then it held the last function. Both slots of every experiment
 * were the reward for tags.
 *
 * What it costs: what is trained is the last reward, times the sum of all weights. Its conclusion about
 * perplexity was one about tags.
 *
 * How one would notice: two rewards have the same numbers in every row (`rewards/NAME/mean`), and what the
 * first counts or prints never comes.
 *
 * Rewards of weight 0, which are measured and not trained on, stay right. So does a run's share of exact
 * answers, unless `exact` is among the rewards that are trained on: then it is one of those slots.
 * @module
 */
import type { CombinedReward } from "../../rewards/combine.ts";
import type { Fault } from "./fault.ts";

/** The same names and weights, with the values of the last reward whose weight is not 0 in every place. */
export function bindLate(rewards: CombinedReward): CombinedReward {
  const trained = Object.keys(rewards.weights).filter((name) => rewards.weights[name] !== 0);
  const last = trained[trained.length - 1];
  const sum = trained.reduce((total, name) => total + rewards.weights[name], 0);
  const breakdown: CombinedReward["breakdown"] = async (batch) => {
    const { scores, weights } = await rewards.breakdown(batch), of = scores[last];
    return {
      total: of.map((value) => value === null ? null : sum * value),
      scores: { ...scores, ...Object.fromEntries(trained.map((name) => [name, of.slice()])) },
      weights,
    };
  };
  return {
    name: rewards.name,
    weights: rewards.weights,
    takeCounts: () => rewards.takeCounts(),
    breakdown,
    score: async (batch) => (await breakdown(batch)).total,
  };
}

/** The fault. */
export const lateBinding: Fault = {
  name: "late-binding",
  doc: "every reward gives what the last one gives",
  refuses({ rewards }) {
    const trained = rewards.filter(({ weight }) => weight !== 0).length;
    return trained > 1
      ? undefined
      : `it needs two rewards to confuse: ${trained} is trained on; name another beside it (--reward)`;
  },
  rewards: bindLate,
};
