/** Learns from one rollout: epochs, minibatches, and the pieces that fit into memory. @module */
import { permutation } from "../base/random.ts";
import type { Algorithm, Experience, LossInputs, StepContext, UpdatePhase } from "./algorithm.ts";
import {
  checkSize,
  countTokens,
  gridOfRows,
  keepRows,
  lastToken,
  type ResponseGrid,
  takeRows,
} from "./batch.ts";
import { tokenBatch } from "./experience.ts";
import { tokenMean } from "./loss/normalise.ts";
import {
  addSums,
  bothSums,
  emptySums,
  type LossSums,
  meansOf,
  policySums,
  sumsAreFinite,
} from "./loss/sums.ts";
import type { Evaluation, Policy } from "./policy.ts";
import { gradientOf, phasesOf, ratesAt } from "./phases.ts";
import { piecesInOrder } from "./pieces.ts";

/** What the epochs over one rollout came to. */
export interface UpdateResult {
  /**
   * Of every minibatch that was evaluated, also one that then stopped the update; where the value loss
   * has a phase of its own before others, those of the others.
   */
  batches: LossSums[];
  /** Of the minibatches of such a phase; absent where there is none. */
  critic?: LossSums[];
  /** The loss of each of them. */
  totals: number[];
  /** Of every optimiser step taken. */
  gradientNorms: number[];
  /** Passes over the rollout, in minibatches that were learned from; of the last phase that began. */
  epochs: number;
  /** Why the update was skipped, if it was. */
  fault?: string;
}

/** What `learn` needs to know. */
export interface LearnOptions<C> {
  experience: Experience;
  algorithm: Algorithm<C>;
  context: StepContext<C>;
}

/** Where an update is: the phase in hand, and the optimiser step within it. */
interface Turn {
  phase: UpdatePhase;
  /** Optimiser steps of this phase before this one. */
  done: number;
  /** True in the first pass of the first phase. */
  isFirst: boolean;
  /** True where other losses are learned from afterwards. */
  isAhead: boolean;
}

/**
 * Epochs of minibatches over one rollout. At target KL, or where a number is not finite, it ends
 * before the optimiser step and leaves no gradient behind, and no more where the policy throws.
 */
export function learn<C>(policy: Policy, options: LearnOptions<C>): Promise<UpdateResult> {
  return new Update(policy, options).run().catch((error) => {
    policy.zeroGradient(); // of the pieces before
    throw error;
  });
}

class Update<C> {
  #result: UpdateResult = { batches: [], totals: [], gradientNorms: [], epochs: 0 };
  /** What `epochs` was before an optimiser step whose gradient norm is not known yet. */
  #pending: number | undefined;

  constructor(readonly policy: Policy, readonly options: LearnOptions<C>) {}

  async run(): Promise<UpdateResult> {
    const { algorithm, context, context: { config, step }, experience: { grid: { B } } } =
      this.options;
    const { seed, minibatches } = config, phases = phasesOf(algorithm, context);
    let pass = 0; // of all phases
    for (const [p, phase] of phases.entries()) {
      const isAhead = p < phases.length - 1;
      for (let epoch = 0; epoch < phase.epochs; epoch++, pass++) {
        // One minibatch holds every row, so that there is nothing to shuffle.
        const order = minibatches === 1
          ? Array.from({ length: B }, (_, row) => row)
          : permutation(B, { seed, step, epoch: pass });
        for (let m = 0; m < minibatches; m++) {
          const at = (part: number) => Math.floor(part * B / minibatches);
          const done = epoch * minibatches + m;
          this.#result.epochs = done / minibatches;
          const turn = { phase, done, isFirst: pass === 0, isAhead };
          const end = await this.#minibatch(order.slice(at(m), at(m + 1)), turn);
          if (end) return end;
        }
        this.#result.epochs = epoch + 1;
      }
    }
    return await this.#settle() ?? this.#result;
  }

  /** One optimiser step; gives the result where the update ends before it. */
  async #minibatch(rows: number[], turn: Turn): Promise<UpdateResult | undefined> {
    const { experience: { grid, rollout }, algorithm, context } = this.options;
    const { finished } = rollout;
    const chosen = new Set(rows);
    const batch = keepRows(grid, Array.from({ length: grid.B }, (_, b) => chosen.has(b)));
    if (countTokens(batch.mask) === 0) return undefined; // no row here has a score
    const weight = algorithm.weights?.({ grid: batch, rows, finished }, context) ??
      tokenMean(batch);
    checkSize(`the weights of ${algorithm.name}`, weight, grid);
    const counted = rows.filter((b) => lastToken(grid, b) >= 0).length;
    let sums = emptySums();
    for (const piece of piecesInOrder(rows, context.config.microbatchRows)) {
      const part = gridOfRows(grid, piece);
      if (countTokens(part.mask) === 0) continue;
      const now = await this.#evaluate(piece, turn.isFirst);
      const failed = await this.#settle();
      if (failed) return failed;
      const inputs = { ...this.#inputs(part, piece, now), rows: counted };
      const loss = algorithm.loss(inputs, takeRows(weight, grid, piece), context);
      sums = addSums(sums, bothSums(policySums(inputs), loss.sums));
      if (!sumsAreFinite(sums)) break;
      for (const [name, array] of Object.entries(loss.gradient)) {
        if (array) checkSize(`the ${name} of ${algorithm.name}`, array, part);
      }
      this.policy.backward(gradientOf(loss.gradient, turn.phase.losses));
    }
    const means = meansOf(sums), total = algorithm.total(means, context);
    if (!sumsAreFinite(sums)) {
      this.policy.zeroGradient();
      return { ...this.#result, fault: `the loss is ${total}` };
    }
    if (turn.isAhead) (this.#result.critic ??= []).push(sums);
    else {
      this.#result.batches.push(sums);
      this.#result.totals.push(total);
    }
    const { config, config: { targetKl }, step } = context;
    if (targetKl > 0 && means["policy/approxkl"] > targetKl) {
      this.policy.zeroGradient();
      return this.#result;
    }
    this.policy.step(ratesAt(config, turn.phase, { step, done: turn.done }));
    this.#pending = this.#result.epochs;
  }

  /**
   * A piece of all rows is the very batch that was evaluated before: the first epoch need not evaluate it
   * again, unless somebody else asked the policy since, as a score function may.
   */
  #evaluate(piece: readonly number[], isFirst: boolean): Promise<Evaluation> | Evaluation {
    const { experience: { grid, now, rollout, lastPass }, context: { config } } = this.options;
    const isLast = this.policy.lastPass === lastPass;
    if (isFirst && isLast && piece.length === grid.B) return now;
    const { head, kl } = this.options.algorithm.needs(config);
    const batch = tokenBatch(rollout, piece, { ...config, valueAt: head?.at });
    return this.policy.evaluate(batch, { kl: kl === "loss" });
  }

  /**
   * A step's gradient norm arrives together with the next evaluation, so that it costs no host sync of
   * its own. Gives the result where it was not finite.
   */
  async #settle(): Promise<UpdateResult | undefined> {
    if (this.#pending === undefined) return undefined;
    const norm = await this.policy.gradientNorm();
    if (!Number.isFinite(norm)) {
      return { ...this.#result, epochs: this.#pending, fault: `the gradient norm is ${norm}` };
    }
    this.#result.gradientNorms.push(norm);
    this.#pending = undefined;
  }

  /** What the loss reads: the policy as it is now, and what stays fixed over the epochs. */
  #inputs(part: ResponseGrid, rows: readonly number[], now: Evaluation): LossInputs {
    const { grid, old, sampled, advantage, returns, reference, policyWeight } =
      this.options.experience;
    const take = (x: Float32Array) => takeRows(x, grid, rows);
    const maybe = (x: Float32Array | undefined) => x && take(x);
    return {
      grid: part,
      ...now,
      oldLogprob: take(old.logprob),
      oldValue: maybe(old.value),
      sampled: take(sampled),
      reference: maybe(reference),
      advantage: take(advantage),
      returns: maybe(returns),
      policyWeight: maybe(policyWeight),
    };
  }
}
