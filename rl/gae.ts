/**
 * From one score a response to a reward, an advantage and a return for every token.
 * Generalised advantage estimation: Schulman et al. 2016 (arXiv 1506.02438), equation 16.
 * @module
 */
import { lastToken, type Numbers, type ResponseGrid } from "./batch.ts";

/** What each token earned, (B, T). */
export interface TokenRewards {
  /** KL penalty, and on the last token that counts also the score. */
  reward: Float32Array;
  /** The KL penalty alone: -coefficient * kl. */
  penalty: Float32Array;
}

/**
 * Per-token rewards: the penalty on every token, the score on the last token that counts (the EOS
 * token where there is one), nothing elsewhere.
 */
export function tokenRewards(
  grid: ResponseGrid,
  { kl, score, coefficient }: {
    /** (B, T), nats per token. */
    kl: Numbers;
    /** (B), in the reward's unit; ignored for rows that the mask leaves out. */
    score: Numbers;
    /** Reward lost per nat. */
    coefficient: number;
  },
): TokenRewards {
  const { B, T, mask } = grid;
  const penalty = new Float32Array(B * T);
  for (let i = 0; i < penalty.length; i++) if (mask[i]) penalty[i] = -coefficient * kl[i];
  const reward = penalty.slice();
  for (let b = 0; b < B; b++) {
    const t = lastToken(grid, b);
    if (t >= 0) reward[b * T + t] += score[b];
  }
  return { reward, penalty };
}

/** Inputs of `gae`. */
export interface GaeInputs {
  /** (B, T) */
  reward: Numbers;
  /** Estimate before each token, (B, T). */
  value: Numbers;
  /** Weight of what comes one token later, 0 to 1. */
  gamma: number;
  /** 0 trusts the value estimate, 1 the rewards. */
  lambda: number;
  /** (B): value of the state behind the last token; 0 where left out, as if every row had ended. */
  bootstrap?: Numbers;
}

/** Advantages and returns, (B, T), 0 outside the mask. */
export interface Advantages {
  /** Not whitened. */
  advantage: Float32Array;
  /** Target of the value head: advantage + value, before any whitening. */
  returns: Float32Array;
}

/**
 * delta_t = r_t + gamma V_{t+1} - V_t,  A_t = delta_t + gamma lambda A_{t+1},  return_t = A_t + V_t,
 * over the tokens that count: slots outside the mask are stepped over, whatever they hold.
 */
export function gae(
  { B, T, mask }: ResponseGrid,
  { reward, value, gamma, lambda, bootstrap }: GaeInputs,
): Advantages {
  const advantage = new Float32Array(B * T), returns = new Float32Array(B * T);
  for (let b = 0; b < B; b++) {
    let nextValue = bootstrap ? bootstrap[b] : 0, nextAdvantage = 0;
    for (let i = (b + 1) * T - 1; i >= b * T; i--) {
      if (!mask[i]) continue;
      const delta = reward[i] + gamma * nextValue - value[i];
      nextAdvantage = delta + gamma * lambda * nextAdvantage;
      nextValue = value[i];
      advantage[i] = nextAdvantage;
      returns[i] = nextAdvantage + value[i];
    }
  }
  return { advantage, returns };
}
