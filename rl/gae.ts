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

/**
 * (B) lambda of each response by its length, 1 - 1 / max(alpha * tokens, 1): VAPO (arXiv 2504.05118).
 * It is 0 for responses of up to 1 / alpha tokens: 20 with the paper's 0.05.
 */
export function lengthLambda(
  { length }: Pick<ResponseGrid, "length">,
  alpha: number,
): Float64Array {
  return Float64Array.from(length, (tokens) => 1 - 1 / Math.max(alpha * tokens, 1));
}

/** (B) What follows each response that was cut off: the estimate (B, T) before its last token; else 0. */
export function lastValues(
  grid: ResponseGrid,
  { value, finished }: { value: Numbers; finished: readonly boolean[] },
): number[] {
  return finished.map((isFinished, b) => {
    const last = lastToken(grid, b);
    return isFinished || last < 0 ? 0 : value[b * grid.T + last];
  });
}

/** Inputs of `gae`. */
export interface GaeInputs {
  /** (B, T) */
  reward: Numbers;
  /** Estimate before each token, (B, T). */
  value: Numbers;
  /** Weight of what comes one token later, 0 to 1. */
  gamma: number;
  /** 0 trusts the value estimate, 1 the rewards; one for all rows, or (B). */
  lambda: number | Numbers;
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
    const fade = gamma * (typeof lambda === "number" ? lambda : lambda[b]);
    let nextValue = bootstrap ? bootstrap[b] : 0, nextAdvantage = 0;
    for (let i = (b + 1) * T - 1; i >= b * T; i--) {
      if (!mask[i]) continue;
      const delta = reward[i] + gamma * nextValue - value[i];
      nextAdvantage = delta + fade * nextAdvantage;
      nextValue = value[i];
      advantage[i] = nextAdvantage;
      returns[i] = nextAdvantage + value[i];
    }
  }
  return { advantage, returns };
}
