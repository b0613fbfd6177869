/** Learns from one rollout: epochs, minibatches, and the pieces that fit into memory. @module */
import { countTokens, gridOfRows, type ResponseGrid, takeRows } from "./batch.ts";
import type { PpoConfig } from "./config.ts";
import { type Experience, pieces, tokenBatch } from "./experience.ts";
import type { Policy } from "./policy.ts";
import { addSums, emptySums, ppoLoss, type PpoMeans, ppoMeans, sumsAreFinite } from "./ppo.ts";
import { scheduleAt } from "../base/schedules.ts";
import { permutation } from "../base/random.ts";

/** What the epochs over one rollout came to. */
export interface UpdateResult {
  /** Of every minibatch that was evaluated, also one that then stopped the update. */
  means: PpoMeans[];
  /** Of every optimiser step taken. */
  gradientNorms: number[];
  /** Passes over the rollout, in minibatches that were not given up. */
  epochs: number;
  /** Why the update was given up, if it was. */
  fault?: string;
}

/**
 * Epochs of minibatches over one rollout. At target KL, or where a number is not finite, it ends
 * before the optimiser step and leaves no gradient behind.
 */
export async function learn(
  policy: Policy,
  { experience, config, step, learningRate }: {
    experience: Experience;
    config: Readonly<PpoConfig>;
    /** Steps done before this one. */
    step: number;
    learningRate: number;
  },
): Promise<UpdateResult> {
  const { seed, epochs, minibatches, microbatchRows, totalSteps: total } = config;
  const { grid } = experience, { B } = grid;
  const result: UpdateResult = { means: [], gradientNorms: [], epochs: 0 };
  const entropyCoefficient = scheduleAt({
    kind: config.entropySchedule,
    peak: config.entropyCoefficient,
    final: 0,
    warmup: 0,
    total,
  }, step);
  let done = 0;
  // A step's gradient norm arrives together with the next evaluation, so that it costs no wait of its
  // own; `pending` is what `epochs` was before that step.
  let pending: number | undefined;
  const settle = async (): Promise<UpdateResult | undefined> => {
    if (pending === undefined) return undefined;
    const norm = await policy.gradientNorm();
    if (!Number.isFinite(norm)) {
      return { ...result, epochs: pending, fault: `the gradient norm is ${norm}` };
    }
    result.gradientNorms.push(norm);
    pending = undefined;
  };
  for (let epoch = 0; epoch < epochs; epoch++) {
    // One minibatch holds every row, so that there is nothing to shuffle.
    const order = minibatches === 1
      ? Array.from({ length: B }, (_, row) => row)
      : permutation(B, { seed, step, epoch });
    for (let m = 0; m < minibatches; m++) {
      const at = (part: number) => Math.floor(part * B / minibatches);
      const rows = order.slice(at(m), at(m + 1));
      const tokens = countTokens(gridOfRows(grid, rows).mask);
      result.epochs = done / minibatches;
      done++;
      if (tokens === 0) continue; // no row here has a score
      let sums = emptySums();
      for (const piece of pieces(rows, microbatchRows)) {
        const part = gridOfRows(grid, piece);
        if (countTokens(part.mask) === 0) continue;
        // A piece of all rows is the very batch that `collect` evaluated last: the first epoch need
        // not evaluate it again.
        const now = epoch === 0 && piece.length === B
          ? experience.old
          : await policy.evaluate(tokenBatch(experience.rollout, piece, config.temperature));
        const failed = await settle();
        if (failed) return failed;
        const inputs = { ...now, ...takeExperience(experience, grid, piece) };
        const loss = ppoLoss(part.mask, inputs, { ...config, entropyCoefficient, tokens });
        sums = addSums(sums, loss.sums);
        if (!sumsAreFinite(sums)) break;
        policy.backward(loss.gradient);
      }
      const means = ppoMeans(sums, { ...config, entropyCoefficient });
      if (!sumsAreFinite(sums)) {
        policy.zeroGradient();
        return { ...result, fault: `the loss is ${means.totalLoss}` };
      }
      result.means.push(means);
      if (config.targetKl > 0 && means.approxKl > config.targetKl) {
        policy.zeroGradient();
        return result;
      }
      policy.step(learningRate);
      pending = result.epochs;
    }
  }
  result.epochs = done / minibatches;
  return await settle() ?? result;
}

/** What stays fixed over the epochs, for some rows. */
function takeExperience(
  { old, advantage, returns }: Experience,
  grid: ResponseGrid,
  rows: readonly number[],
): Record<"oldLogprob" | "oldValue" | "advantage" | "returns", Float32Array> {
  const take = (x: Float32Array) => takeRows(x, grid, rows);
  return {
    oldLogprob: take(old.logprob),
    oldValue: take(old.value),
    advantage: take(advantage),
    returns: take(returns),
  };
}
