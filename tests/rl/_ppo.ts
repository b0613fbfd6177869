/** PPO's loss of tokens in any shape, with everything that a step would report of it. @module */
import { ppo, PPO_OPTIONS, type PpoConfig } from "../../rl/algorithms/ppo.ts";
import type { LossInputs, LossResult, StepContext } from "../../rl/algorithm.ts";
import { bothSums, type LossSums, meansOf, policySums } from "../../rl/loss/sums.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";

/** Arrays of one loss, each of the mask's length. */
export type PpoInputs = Required<
  Pick<
    LossInputs,
    | "logprob"
    | "entropy"
    | "value"
    | "oldLogprob"
    | "oldValue"
    | "advantage"
    | "returns"
  >
>;

/** Settings of the loss, and how many tokens the whole optimiser batch has. */
export type PpoLossOptions = Partial<PpoConfig> & { tokens: number };

function contextOf({ tokens: _tokens, ...settings }: PpoLossOptions): StepContext<PpoConfig> {
  PPO_OPTIONS.resolve(settings);
  const config = trainerOptions(ppo as never).resolve(settings as never);
  return { config: config as never, step: 0, state: { klCoefficient: 0.2 } };
}

/** Sums and gradient of the tokens that the mask allows, one row to a mask. */
export function lossOf(mask: Uint8Array, inputs: PpoInputs, options: PpoLossOptions): LossResult {
  const grid = { B: 1, T: mask.length, mask, length: Int32Array.of(mask.length) };
  const piece: LossInputs = { ...inputs, grid, sampled: inputs.oldLogprob };
  const weight = Float64Array.from(mask, (m) => m ? 1 / options.tokens : 0);
  const { sums, gradient } = ppo.loss(piece, weight, contextOf(options));
  return { sums: bothSums(policySums(piece), sums), gradient };
}

/** Means by the names of metrics, `loss/total` among them. */
export function meansOfLoss(sums: LossSums, options: PpoLossOptions): Record<string, number> {
  const means = meansOf(sums);
  return { ...means, "loss/total": ppo.total(means, contextOf(options)) };
}
