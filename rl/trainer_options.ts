/** The settings of the trainer's loop, which every algorithm has. @module */
import {
  defineOptions,
  joinOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
  withDefaults,
} from "../base/options.ts";
import { didYouMean } from "../base/names.ts";
import type { Algorithm } from "./algorithm.ts";
import { SCORE_ROWS } from "./score_scaling.ts";

/** Choices of a schedule's decay; see `base/schedules.ts`. */
export const DECAYS = ["constant", "linear", "cosine"] as const;

/** Most steps of a run: at a second each, twelve days. */
export const MAX_STEPS = 1_000_000;

/** Most rows of a rollout, and so most parts that it can be cut into: no grid of a launch has more. */
export const MAX_ROWS = 65_535;

// Counts are bounded, so that a slip of the hand (1e9 epochs) is refused and not begun: 1,000 epochs are
// far beyond what a ratio of two policies can bear; of tokens a model's positions are the nearer bound. Beyond the temperatures f32 has no digits left.
// deno-fmt-ignore
const ROWS = {
  seed: { kind: "integer", default: 1, min: 0, max: 2 ** 32 - 1, usual: "1, 2, 3", doc: "key of all random numbers", group: "Run" },
  totalSteps: { kind: "integer", default: 100, min: 1, max: MAX_STEPS, unit: "rollouts", usual: "20 to 500", doc: "length of the run; the schedules end here", group: "Run" },
  maxNewTokens: { kind: "integer", default: 16, min: 1, max: 1_000_000, unit: "tokens", usual: "4 to 256", doc: "longest response, EOS included", group: "Sampling" },
  temperature: { kind: "number", default: 1, min: 1e-3, max: 1e3, usual: "0.7 to 1", doc: "divides the logits in sampling, training and reference", group: "Sampling" },
  epochs: { kind: "integer", default: 4, min: 1, max: 1000, usual: "1 to 4", doc: "passes over each rollout", group: "Updates" },
  minibatches: { kind: "integer", default: 1, min: 1, max: MAX_ROWS, usual: "1 to 8", doc: "optimiser steps per epoch", group: "Updates" },
  microbatchRows: { kind: "integer", default: 0, min: 0, max: MAX_ROWS, unit: "rows", usual: "0, 8 to 64", doc: "rows per pass, to save memory; 0 is a whole minibatch", group: "Updates" },
  learningRate: { kind: "number", default: 1.41e-5, min: 0, max: 1e6, usual: "1e-6 to 1e-3", doc: "AdamW step size; larger for smaller models", group: "Updates" },
  learningRateSchedule: { kind: "choice", choices: DECAYS, default: "constant", doc: "decay from learningRate to learningRateFinal", group: "Updates" },
  learningRateFinal: { kind: "number", default: 0, min: 0, max: 1e6, usual: "0 to learningRate", only: { learningRateSchedule: { not: "constant" } }, decayOf: "learningRate", doc: "learning rate at the end of a linear or cosine decay", group: "Updates" },
  warmupSteps: { kind: "integer", default: 0, min: 0, max: MAX_STEPS, unit: "rollouts, or what scheduleUnit says", usual: "0 to 10 % of the run", doc: "growth of the learning rate to its peak", group: "Updates" },
  scheduleUnit: { kind: "choice", choices: ["rollouts", "optimizer-steps"], default: "rollouts", doc: "the learning rate changes, and warmupSteps counts, from rollout to rollout or from optimizer step to optimizer step, epochs * minibatches a rollout", group: "Updates" },
  targetKl: { kind: "number", default: 0, min: 0, unit: "nats per token", usual: "0, 0.01 to 0.1", doc: "stop learning from a rollout above this policy/approxkl; 0 is off", group: "Updates" },
  ...SCORE_ROWS,
} as const satisfies OptionRows;

/**
 * Settings of the loop. The defaults are those of TRL 0.11 where it has the setting; `targetKl` is
 * compared with a minibatch's `policy/approxkl` before its optimiser step.
 */
export type TrainerConfig = OptionValues<typeof ROWS>;

/** All settings of the loop, in reading order. */
export const TRAINER_OPTIONS: OptionTable<TrainerConfig> = defineOptions("the trainer", ROWS);

/**
 * The settings that a run with this algorithm has: the loop's with the algorithm's defaults, and its own.
 * @throws {TypeError} where `trainerDefaults` names a setting that the loop does not have, or an option
 * of the algorithm's has the name of one of the loop's
 */
export function trainerOptions(algorithm: Algorithm<never>): OptionTable<TrainerConfig> {
  const own = algorithm.trainerDefaults ?? {};
  const unknown = Object.keys(own).find((name) => !Object.hasOwn(TRAINER_OPTIONS.rows, name));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot train with ${algorithm.name} as its trainerDefaults are of the loop's settings: ` +
        `"${unknown}" is none.${didYouMean(unknown, TRAINER_OPTIONS.names)}`,
    );
  }
  const rows = withDefaults(TRAINER_OPTIONS.rows, own);
  const loop = { owner: TRAINER_OPTIONS.owner, rows };
  const joined = joinOptions(algorithm.options.owner, [loop, algorithm.options]);
  return joined as unknown as OptionTable<TrainerConfig>;
}
