/**
 * REINFORCE (Williams 1992) with a baseline: the score less the mean of the other scores of the batch,
 * times the gradient of the log-probability. There is no ratio, so that one epoch is all it can take.
 * @module
 */
import { groupAdvantages } from "../group.ts";
import { policyGradientLoss } from "../loss/policy_gradient.ts";
import { perToken } from "../loss/response.ts";
import { criticFree, onTokens } from "./critic_free.ts";

// deno-fmt-ignore
const ROWS = {
  batchBaseline: { kind: "boolean", default: true, doc: "the mean of the other scores of the batch is taken off each score", group: "Rewards and advantages" },
} as const;

/** REINFORCE with the batch as its baseline. */
export const reinforce = criticFree({
  name: "reinforce",
  summary: "policy gradient with the mean score of the batch as its baseline",
  paper: "Williams 1992, doi 10.1007/BF00992696",
  rows: ROWS,
  defaults: { lossNormaliser: "sequence-sums" },
  advantages({ grid, scored, reward }, { batchBaseline }) {
    if (!batchBaseline) return { advantage: onTokens(grid, reward) };
    const { advantage } = groupAdvantages(reward, scored, {
      groupSize: scored.length,
      baseline: "leave-one-out",
      advantageScale: "none",
      advantageEpsilon: 0,
    });
    return { advantage: onTokens(grid, advantage) };
  },
  loss: perToken(policyGradientLoss),
});
