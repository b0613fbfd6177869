/**
 * ReMax (Li et al. 2024, arXiv 2310.10505, algorithm 2): the score less that of the prompt's most probable
 * completion, times the gradient of the log-probability. The baseline costs one more completion of each
 * prompt and no value head; it is no function of the drawn tokens, so that it adds no bias.
 * @module
 */
import { policyGradientLoss } from "../loss/policy_gradient.ts";
import { perToken } from "../loss/response.ts";
import { mean } from "../stats.ts";
import { criticFree, onTokens } from "./critic_free.ts";

/** ReMax: the greedy completion as the baseline. */
export const remax = criticFree({
  name: "remax",
  summary: "policy gradient with the score of the greedy completion as its baseline",
  paper: "Li et al. 2024, arXiv 2310.10505",
  rows: {},
  defaults: { lossNormaliser: "sequence-sums", klIn: "reward", klEstimator: "k1" },
  metrics: [
    [
      "score/greedy_mean",
      "reward",
      "that of the reward",
      "rises, ahead of score/mean",
      "mean score of the greedy completions, the baseline",
      "Flat: as score/mean.",
      "",
    ],
  ],
  greedyBaseline: true,
  advantages({ grid, reward, scored, greedyScore }) {
    return {
      advantage: onTokens(grid, reward.map((of, b) => of - greedyScore![b])),
      facts: { "score/greedy_mean": mean(greedyScore!.filter((_, b) => scored[b])) },
    };
  },
  loss: perToken(policyGradientLoss),
});
