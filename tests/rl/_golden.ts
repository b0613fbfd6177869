/**
 * The worked example that several tests share (two rows, four and two tokens), and what the trainer's
 * loop hands to a loss.
 * @module
 */
import type { LossInputs, LossResult, StepContext } from "../../rl/algorithm.ts";
import { ppo, PPO_OPTIONS, type PpoConfig, ppoLoss } from "../../rl/algorithms/ppo.ts";
import { alignResponses, countTokens, type ResponseGrid } from "../../rl/batch.ts";
import { bothSums, meansOf, policySums } from "../../rl/loss/sums.ts";
import { TRAINER_OPTIONS, type TrainerConfig } from "../../rl/trainer_options.ts";

/** Lays ragged rows out with T columns, `fill` where there is no token. */
export function lay(rows: number[][], fill = NaN): number[] {
  const T = Math.max(...rows.map((row) => row.length));
  return rows.flatMap((row) => [...row, ...Array(T - row.length).fill(fill)]);
}

/** The grid of ragged rows. */
export function gridOf(rows: ArrayLike<unknown>[]): ResponseGrid {
  return alignResponses(rows);
}

/** Central difference of `f` at element `i` of `x`. */
export function slope(f: (x: number[]) => number, x: ArrayLike<number>, i: number): number {
  const h = 1e-6, up = Array.from(x), down = Array.from(x);
  up[i] += h;
  down[i] -= h;
  return (f(up) - f(down)) / (2 * h);
}

/** PPO's inputs: its value head is always there. */
export type PpoInputs =
  & Omit<LossInputs, "grid" | "sampled" | "reference">
  & Required<Pick<LossInputs, "value" | "oldValue" | "returns">>;

/** The normaliser of a mean over `tokens`, by default those of the grid: 1 / tokens each. */
export function weightOf({ mask }: ResponseGrid, tokens: number = countTokens(mask)): Float64Array {
  return Float64Array.from(mask, (m) => m ? 1 / tokens : 0);
}

/** PPO before its first step, with the default of every setting that is not given. */
export function contextOf(given: Partial<PpoConfig & TrainerConfig> = {}): StepContext<PpoConfig> {
  const config = { ...TRAINER_OPTIONS.defaults, ...PPO_OPTIONS.defaults, ...given } as
    & PpoConfig
    & TrainerConfig;
  return { config, step: 0, state: { klCoefficient: config.klCoefficient } };
}

/** PPO's loss of a piece, its sums joined with those of every policy as the trainer's loop does. */
export function lossOf(
  grid: ResponseGrid,
  inputs: PpoInputs,
  settings: Partial<PpoConfig> = {},
  tokens?: number,
): LossResult {
  const piece = { ...inputs, grid, sampled: inputs.oldLogprob };
  const { sums, gradient } = ppoLoss(piece, weightOf(grid, tokens), contextOf(settings));
  return { sums: bothSums(policySums(piece), sums), gradient };
}

/** The means of a whole optimiser batch, by the names of the metrics, `loss/total` included. */
export function lossMeans(
  grid: ResponseGrid,
  inputs: PpoInputs,
  settings: Partial<PpoConfig> = {},
): Record<string, number> {
  const means = meansOf(lossOf(grid, inputs, settings).sums);
  return { ...means, "loss/total": ppo.total(means, contextOf(settings)) };
}

export const LOGPROB = [[-1, -2, -0.5, -1.5], [-0.7, -1.1]];
export const REFERENCE = [[-1.2, -1.9, -0.9, -1.4], [-0.9, -1]];
export const VALUE = [[0.1, 0.2, -0.1, 0.3], [0, 0.4]];
export const SCORE = [1, -0.5];
export const GRID: ResponseGrid = gridOf(LOGPROB);
