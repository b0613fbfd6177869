/**
 * The policy loss of one response. Some losses are of each token by itself, others tie a response's
 * tokens together by a ratio of the whole: both are functions of one response's tokens, and nothing else.
 * @module
 */

/** What a policy loss reads of one response: its tokens that count, n of them, in order. */
export interface ResponseTokens {
  /** (n) l, of the policy as it is now, nats. */
  logprob: Float64Array;
  /** (n) l', of the policy that drew the tokens. */
  oldLogprob: Float64Array;
  /** (n) A */
  advantage: Float64Array;
  /** (n) The normaliser: what each token's loss counts in the loss of the optimiser batch. */
  weight: Float64Array;
}

/** What it comes to. */
export interface ResponseLoss {
  /** Sum of weight times each token's loss. */
  loss: number;
  /** (n) d loss / d logprob, the weights included. */
  gradient: Float64Array;
  /** Tokens whose loss was clipped. */
  clipped: number;
}

/** A policy loss with settings `C`. */
export type PolicyLoss<C> = (response: ResponseTokens, config: Readonly<C>) => ResponseLoss;

/** One token. */
export interface Token {
  logprob: number;
  oldLogprob: number;
  /** logprob - oldLogprob */
  logRatio: number;
  advantage: number;
}

/** The policy loss that is a sum over tokens, each by itself; `gradient` is d loss / d logprob. */
export function perToken<C>(
  lossOf: (
    token: Token,
    config: Readonly<C>,
  ) => { loss: number; gradient: number; clipped: boolean },
): PolicyLoss<C> {
  return ({ logprob, oldLogprob, advantage, weight }, config) => {
    const gradient = new Float64Array(logprob.length);
    let loss = 0, clipped = 0;
    for (let t = 0; t < logprob.length; t++) {
      const l = logprob[t], old = oldLogprob[t];
      const of = lossOf(
        { logprob: l, oldLogprob: old, logRatio: l - old, advantage: advantage[t] },
        config,
      );
      loss += weight[t] * of.loss;
      gradient[t] = weight[t] * of.gradient;
      if (of.clipped) clipped++;
    }
    return { loss, gradient, clipped };
  };
}

/** Sum of the numbers. */
export const sumOf = (x: Float64Array): number => x.reduce((sum, value) => sum + value, 0);
