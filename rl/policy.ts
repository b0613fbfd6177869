/**
 * What reinforcement learning needs of a model, and nothing more: token ids in, three small arrays
 * out, three small arrays back. No file of this folder sees a GPU buffer.
 * @module
 */

/** How completions are drawn. Sampling and training use the same distribution. */
export interface SamplingOptions {
  /** Most tokens to generate, EOS included. */
  maxNewTokens: number;
  /** Divides the logits, in the policy, the old policy and the reference alike; > 0. */
  temperature: number;
  /** Take the most probable token instead of drawing one. */
  greedy?: boolean;
  /** Key of the counter-based random numbers; the counter is (row, token, stream). */
  seed: number;
  /** Distinguishes draws under one seed, e.g. the step number. */
  stream: number;
  /**
   * Index of the first prompt among all prompts that are drawn under this seed and stream: the row of the
   * counter begins there. Default 0.
   */
  row0?: number;
}

/** Completions of B prompts. */
export interface Rollout {
  /** Prompts as given. */
  prompts: Int32Array[];
  /** Response tokens, EOS included where it was drawn. */
  responses: Int32Array[];
  /** True where the response ended with EOS, false where it ran into `maxNewTokens`. */
  finished: boolean[];
  /** Log-probability of each response token as the sampler saw it, under temperature. */
  logprobs: Float32Array[];
}

/**
 * Prompts and responses to evaluate. Response arrays elsewhere are (B, T) row-major, T the longest
 * response; `mask` is 1 where a response token exists. Element (b, t) speaks of `responses[b][t]`: its
 * logprob and entropy come from the logits, and its value from the hidden state, at the position before
 * it; the value from the token's own position where `valueAt` says so.
 */
export interface TokenBatch {
  /** At least one token each. */
  prompts: Int32Array[];
  /** At least one token each, EOS included where it was drawn. */
  responses: Int32Array[];
  /** As in `SamplingOptions`. */
  temperature: number;
  /**
   * The state that a token's value is an estimate of: "before" it, as GAE wants, or its "own", in which the
   * token is known. Default "before".
   */
  valueAt?: "before" | "own";
}

/** What one forward pass tells, each (B, T); entries where the mask is 0 mean nothing. */
export interface Evaluation {
  /** log pi(token), nats, <= 0. */
  logprob: Float32Array;
  /** Entropy of the whole distribution at that position, nats. */
  entropy: Float32Array;
  /** Value head's estimate, by `valueAt` before or after the token; absent where the policy has none. */
  value?: Float32Array;
  /**
   * KL(policy || reference) of the whole distribution at that position, exact, nats, >= 0; where it was
   * asked for.
   */
  kl?: Float32Array;
  /** As `logprob`, under the reference; where it was asked for and `Policy.givesReference`. */
  reference?: Float32Array;
}

/** Gradients of the loss with respect to what `Evaluation` gave, each (B, T), 0 where masked. */
export interface EvaluationGradient {
  /** With respect to `logprob`. */
  dlogprob: Float32Array;
  /** With respect to `entropy`; absent is 0. */
  dentropy?: Float32Array;
  /** With respect to `value`; absent is 0. */
  dvalue?: Float32Array;
  /** With respect to `kl`, where the evaluation gave it; absent is 0. */
  dkl?: Float32Array;
}

/** What an evaluation gives only where it is asked for, because it costs. */
export interface EvaluationRequest {
  /** `Evaluation.kl`: one more forward pass, of the reference. Default false. */
  kl?: boolean;
  /** `Evaluation.reference`: one more forward pass, of the reference, unless `kl` makes it. Default false. */
  reference?: boolean;
}

/** Learning rates of one optimiser step, each >= 0. */
export interface StepRates {
  /** Of all that is trained but the value head. */
  policy: number;
  /** Of the value head; it means nothing where there is none. */
  value: number;
}

/** What RL needs of a policy. */
export interface Policy {
  /** False where `evaluate` gives no values; left out, it may give them. */
  readonly hasValues?: boolean;
  /** True where the gradient of `value` moves the value head and nothing else. Left out, it may not. */
  readonly valueDetached?: boolean;
  /**
   * Tells what `backward` would go back through: another value after every forward pass, whoever asked for
   * it. The trainer evaluates while a score function may still be at work; by this it sees whether that has
   * asked the same model. Left out: no score function does, once it has waited for anything.
   */
  readonly lastPass?: unknown;
  /** True where `evaluate` gives `kl` when asked. */
  readonly hasKl?: boolean;
  /** True where `evaluate` gives `reference` when asked: both then take one wait for the device. */
  readonly givesReference?: boolean;
  /** Draws one completion a prompt. */
  generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout>;
  /** Forward pass; keeps what `backward` needs until the next `evaluate`. */
  evaluate(batch: TokenBatch, asked?: EvaluationRequest): Promise<Evaluation>;
  /** Backward pass of the last `evaluate`; adds into the gradients. */
  backward(gradient: EvaluationGradient): void;
  /**
   * Clips the gradient by its global norm, takes one AdamW step, zeroes the gradients. What has the rate 0
   * stays as it is, its moments too, and its gradient does not count in the norm. Where the norm is not
   * finite it zeroes the gradients and changes nothing else.
   */
  step(rates: StepRates): void;
  /** Zeroes the gradients without a step. */
  zeroGradient(): void;
  /** Global gradient norm before clipping of the last `step`; needs no host sync after an `evaluate`. */
  gradientNorm(): Promise<number>;
  /** Log-probabilities under the reference weights, (B, T); absent where there is none. */
  reference?(batch: TokenBatch): Promise<{ logprob: Float32Array }>;
  /**
   * Moves the reference: every weight of it becomes `mix` times the policy's plus 1 - `mix` times its own;
   * `mix` is above 0, up to 1. Absent where the reference cannot move.
   */
  syncReference?(mix: number): void;
}
