/**
 * The verbs of a training loop of one's own: `sample`, `forwardBackward`, `optimStep`. `Trainer.step` is made
 * of the same parts; here each is called by hand, in any order, with any advantages. Saving is
 * `saveState` in experiment/folder/policy_state.ts. Others have the same four: Tinker, SkyRL.
 * @module
 */
import type { LossInputs, LossResult } from "./algorithm.ts";
import {
  alignResponses,
  checkSize,
  type Numbers,
  padRows,
  type ResponseGrid,
  slotsOf,
} from "./batch.ts";
import { tokenMean } from "./loss/normalise.ts";
import type { PolicyLoss } from "./loss/response.ts";
import { bothSums, emptySums, meansOf, policySums, sumsAreFinite } from "./loss/sums.ts";
import type { Evaluation, Policy, Rollout, SamplingOptions } from "./policy.ts";

/** `groupSize` completions of each prompt, one after the other. Default 1. @throws what the policy throws */
export function sample(
  policy: Pick<Policy, "generate">,
  prompts: readonly Int32Array[],
  { groupSize = 1, ...options }: SamplingOptions & { groupSize?: number },
): Promise<Rollout> {
  if (!Number.isSafeInteger(groupSize) || groupSize < 1) {
    throw new RangeError(
      `Cannot sample as groupSize is the number of completions of a prompt, 1 or more: it is ${groupSize}`,
    );
  }
  return policy.generate(prompts.flatMap((prompt) => Array(groupSize).fill(prompt)), options);
}

/** What one pass learns from: B responses. Arrays of a response have one number a token. */
export interface LossBatch {
  /** (B) At least one token each. */
  prompts: Int32Array[];
  /** (B) At least one token each, EOS included where it was drawn. */
  responses: Int32Array[];
  /** (B) A: one number for the whole response, or one a token. */
  advantages: readonly (number | Numbers)[];
  /**
   * (B) Log-probabilities under the policy that drew the tokens, nats. Default: those of this pass, so that
   * every ratio is exactly 1, whatever the policy was when it drew.
   */
  oldLogprobs?: readonly Numbers[];
  /**
   * (B) What each token's loss counts; 0 leaves a token out of the sum. Default: 1 / tokens of the batch,
   * a mean. Give 1 / tokens of all batches where several passes make one step.
   */
  weights?: readonly Numbers[];
  /** As in `SamplingOptions`. Default 1. */
  temperature?: number;
}

/** The loss of a batch with its gradient; `weight` (B, T) is what each token counts. */
export type BatchLoss = (inputs: LossInputs, weight: Float64Array) => LossResult;

/** What a pass came to. */
export interface PassResult {
  /** Sum of weight times each token's loss. */
  loss: number;
  /** Means over the tokens by name, such as `policy/entropy` and `policy/clipfrac`. */
  metrics: Record<string, number>;
  /** (B) Log-probability of each token before any step, nats. */
  logprobs: Float32Array[];
}

/**
 * The loss of a batch from that of one response, such as `perToken(clippedLoss)` with
 * `{ clipLow: 0.2, clipHigh: 0.2 }`.
 */
export function batchLoss<C>(lossOf: PolicyLoss<C>, config: Readonly<C>): BatchLoss {
  return ({ grid, logprob, oldLogprob, advantage }, weight) => {
    const dlogprob = new Float32Array(grid.B * grid.T);
    let tokens = 0, loss = 0, clipped = 0;
    for (let b = 0; b < grid.B; b++) {
      const at = slotsOf(grid, b);
      if (at.length === 0) continue;
      const take = (x: Numbers) => Float64Array.from(at, (i) => x[i]);
      const of = lossOf({
        logprob: take(logprob),
        oldLogprob: take(oldLogprob),
        advantage: take(advantage),
        weight: take(weight),
      }, config);
      at.forEach((i, t) => dlogprob[i] = of.gradient[t]);
      tokens += at.length;
      loss += of.loss;
      clipped += of.clipped;
    }
    const sums = {
      ...emptySums(),
      tokens,
      sum: { "policy/clipfrac": clipped },
      weighted: { "loss/policy": loss },
    };
    return { sums, gradient: { dlogprob } };
  };
}

/**
 * One forward and one backward pass: adds the gradient of the loss into the policy's gradients. Several of
 * them, then one `optimStep`, is gradient accumulation.
 * @throws {RangeError} for arrays of the wrong size, or an advantage that is not finite
 * @throws {Error} where the loss is not finite: no gradient was added
 */
export async function forwardBackward(
  policy: Pick<Policy, "evaluate" | "backward">,
  batch: LossBatch,
  loss: BatchLoss,
): Promise<PassResult> {
  const { prompts, responses, temperature = 1 } = batch;
  const grid = alignResponses(responses), { B, T } = grid;
  const empty = responses.findIndex(({ length }) => length === 0);
  if (empty >= 0 || B === 0) {
    throw new RangeError(
      "Cannot learn from a batch as it needs at least one response, and each of them one token: " +
        (B === 0 ? "there is no response" : `response ${empty} has 0`),
    );
  }
  if (prompts.length !== B || batch.advantages.length !== B) {
    throw new RangeError(
      `Cannot learn from a batch as prompts, responses and advantages have one entry a response: there are ` +
        `${prompts.length}, ${B} and ${batch.advantages.length}`,
    );
  }
  const perToken = (x: number | Numbers, b: number): Numbers =>
    typeof x === "number" ? new Float32Array(grid.length[b]).fill(x) : x;
  const advantage = padRows(batch.advantages.map(perToken), grid);
  const bad = advantage.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) {
    throw new RangeError(
      `Cannot learn from a batch as advantages must be finite in 32 bits: response ${
        Math.floor(bad / T)
      } has ${advantage[bad]}`,
    );
  }
  const old = batch.oldLogprobs && padRows(batch.oldLogprobs, grid);
  const weight = batch.weights ? weightsOf(batch.weights, grid) : tokenMean(grid);
  const now: Evaluation = await policy.evaluate({ prompts, responses, temperature });
  const inputs: LossInputs = {
    grid,
    ...now,
    oldLogprob: old ?? now.logprob,
    sampled: old ?? now.logprob,
    advantage,
  };
  const { sums, gradient } = loss(inputs, weight);
  const all = bothSums(policySums(inputs), sums), metrics = meansOf(all);
  const total = metrics["loss/policy"];
  if (!sumsAreFinite(all)) {
    throw new Error(
      `Cannot learn from a batch as its loss must be finite: it is ${total}; no gradient was added`,
    );
  }
  for (const [name, array] of Object.entries(gradient)) checkSize(name, array ?? [], { B, T });
  policy.backward(gradient);
  const logprobs = Array.from(grid.length, (n, b) => now.logprob.slice(b * T, b * T + n));
  return { loss: total, metrics, logprobs };
}

/** (B, T) in double precision: a weight is a share of a sum, and rounds once, in the gradient. */
function weightsOf(rows: readonly Numbers[], grid: ResponseGrid): Float64Array {
  padRows(rows, grid); // its sizes
  const weight = new Float64Array(grid.B * grid.T);
  rows.forEach((row, b) => weight.set(Array.from(row), b * grid.T));
  return weight;
}

/** What an optimiser step came to. */
export interface StepResult {
  /** Global norm of the gradients before clipping. */
  gradientNorm: number;
  /** False where that norm is not finite: nothing but the gradients, which are zero again, was changed. */
  taken: boolean;
}

/**
 * One AdamW step by the gradients that were added up, which are zero afterwards. A value head may have a
 * learning rate of its own; what has the rate 0 stays as it is.
 */
export async function optimStep(
  policy: Pick<Policy, "step" | "gradientNorm">,
  { learningRate, valueLearningRate = learningRate }: {
    learningRate: number;
    valueLearningRate?: number;
  },
): Promise<StepResult> {
  policy.step({ policy: learningRate, value: valueLearningRate });
  const gradientNorm = await policy.gradientNorm();
  return { gradientNorm, taken: Number.isFinite(gradientNorm) };
}
