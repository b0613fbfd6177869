/**
 * REINFORCE++ (Hu et al. 2025, arXiv 2501.03262): PPO's clipped ratio without a value head. Each token's
 * advantage is the return from it on, with a KL penalty on every token, whitened over the tokens of the
 * whole batch. OpenRLHF whitens by the population's variance, verl by the sample's: an option.
 * @module
 */
import { gae } from "../gae.ts";
import { columnAdvantages, GROUP_ROWS, groupAdvantages } from "../group.ts";
import { DYNAMIC_SAMPLING_ROWS } from "../dynamic_sampling.ts";
import { OVERLONG_ROWS } from "../overlong.ts";
import { CLIP_ROWS, clippedLoss } from "../loss/clipped_ratio.ts";
import { perToken } from "../loss/response.ts";
import { criticFree, onTokens } from "./critic_free.ts";
import { whiten } from "../stats.ts";

// deno-fmt-ignore
const WHITEN_ROWS = {
  whitenVariance: { kind: "choice", choices: ["population", "sample"], default: "population", doc: "variance by which advantages are whitened over the batch's tokens", group: "Rewards and advantages" },
} as const;

/** REINFORCE++: returns of single tokens, whitened over the batch. */
export const reinforcePlusPlus = criticFree({
  name: "reinforce++",
  summary: "PPO's clipped ratio without a value head: returns whitened over the batch",
  paper: "Hu et al. 2025, arXiv 2501.03262",
  rows: { ...WHITEN_ROWS, ...CLIP_ROWS },
  defaults: { klIn: "reward", klEstimator: "k1", klCoefficient: 0.01 },
  advantages({ grid, tokenReward: reward }, { whitenVariance: variance }) {
    const value = new Float32Array(reward.length); // without an estimate, GAE is the sum of what follows
    const { advantage: returns } = gae(grid, { reward, value, gamma: 1, lambda: 1 });
    return { advantage: whiten(returns, grid.mask, { variance, shiftMean: true }) };
  },
  loss: perToken(clippedLoss),
});

/** Its form with groups: the score less its group's mean, whitened over the batch. */
export const reinforcePlusPlusBaseline = criticFree({
  name: "reinforce++-baseline",
  summary: "REINFORCE++ with the mean of a prompt's group as its baseline",
  paper: "Hu et al. 2025, arXiv 2501.03262",
  rows: {
    groupSize: GROUP_ROWS.groupSize,
    rewardAggregation: GROUP_ROWS.rewardAggregation,
    ...OVERLONG_ROWS,
    ...DYNAMIC_SAMPLING_ROWS,
    ...WHITEN_ROWS,
    ...CLIP_ROWS,
  },
  defaults: { klGradient: "k2", klEstimator: "k2" },
  advantages({ grid, scored, reward, columns }, { groupSize, rewardAggregation, whitenVariance }) {
    const plain = {
      groupSize,
      baseline: "mean",
      advantageScale: "none",
      advantageEpsilon: 0,
    } as const;
    const each = { ...plain, advantageScale: "sample", advantageEpsilon: 1e-4 } as const;
    const { advantage, equalShare } = rewardAggregation === "normalise-then-sum"
      ? columnAdvantages(columns, scored, each)
      : groupAdvantages(reward, scored, plain);
    return {
      advantage: whiten(onTokens(grid, advantage), grid.mask, {
        variance: whitenVariance,
        shiftMean: true,
      }),
      facts: { "groups/equal_share": equalShare },
    };
  },
  loss: perToken(clippedLoss),
});
