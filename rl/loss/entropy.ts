/**
 * The entropy bonus: its settings, and its coefficient at a step. Adaptive: Skywork-OR1 (He et al. 2025,
 * arXiv 2505.22312, section 4), as TRL 1.16 has it, there after each optimiser step and here after each
 * rollout.
 * @module
 */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { scheduleAt } from "../../base/schedules.ts";
import type { AlgorithmState, StepContext, StepFacts } from "../algorithm.ts";
import { mean } from "../stats.ts";
import { DECAYS } from "../trainer_options.ts";

/** Rows of the bonus. */
// deno-fmt-ignore
export const ENTROPY_ROWS = {
  entropyCoefficient: { kind: "number", default: 0, min: 0, unit: "loss per nat", usual: "0 to 0.02", doc: "reward for entropy, at the start", group: "Loss" },
  entropyControl: { kind: "choice", choices: ["scheduled", "adaptive"], default: "scheduled", doc: "how entropyCoefficient changes: by entropySchedule, or up or down by entropyStep after each rollout, paid only after one whose entropy was at most entropyTarget", group: "Loss" },
  entropySchedule: { kind: "choice", choices: DECAYS, default: "constant", only: { entropyCoefficient: { not: 0 }, entropyControl: "scheduled" }, doc: "decay of entropyCoefficient to 0 over the run", group: "Loss" },
  entropyTarget: { kind: "number", default: 0.2, min: 0, unit: "nats per token", usual: "0.1 to 1", only: { entropyControl: "adaptive" }, doc: "adaptive: entropy below which the policy is not to fall", group: "Loss" },
  entropyStep: { kind: "number", default: 0.005, min: 0, above: true, unit: "loss per nat", usual: "0.001 to 0.01", only: { entropyControl: "adaptive" }, doc: "adaptive: change of the coefficient after a rollout, up at or below entropyTarget, down above it", group: "Loss" },
  entropyCeiling: { kind: "number", default: 1, min: 0, above: true, unit: "loss per nat", usual: "0.02 to 1", only: { entropyControl: "adaptive" }, doc: "adaptive: largest coefficient; the least is 0", group: "Loss" },
} as const satisfies OptionRows;

/** Settings of the bonus. */
export type EntropyConfig = OptionValues<typeof ENTROPY_ROWS>;

/** The column in which it is reported. */
// deno-fmt-ignore
export const ENTROPY_METRIC = ["entropy/coefficient", "loss per nat", ">= 0", "0, or small", "entropy coefficient used in this step; 0 where entropyControl=adaptive pays nothing", "At entropyCeiling for long: the reward pays for certainty more than that; raise entropyCeiling or lower entropyTarget.", ""] as const;

/** @throws {RangeError} where an adaptive bonus starts above its ceiling */
export function checkEntropy(
  { entropyControl, entropyCoefficient, entropyCeiling }: EntropyConfig,
): void {
  if (entropyControl === "scheduled" || entropyCoefficient <= entropyCeiling) return;
  throw new RangeError(
    `Cannot adapt the entropy coefficient as it must start at most at entropyCeiling=` +
      `${entropyCeiling}: it is ${entropyCoefficient}; lower it, or raise entropyCeiling`,
  );
}

/**
 * What an adaptive bonus remembers: its coefficient, and 1 where the last entropy was at most the target,
 * else 0. Before the first update no entropy is known and nothing is paid. Nothing where it is scheduled.
 */
export const startEntropy = (
  { entropyControl, entropyCoefficient }: EntropyConfig,
): AlgorithmState => entropyControl === "scheduled" ? {} : { entropyCoefficient, entropyLow: 0 };

/** That state after a step; as it was where the update was skipped, whose entropy says nothing. */
export function nextEntropy(
  { config, state, update: { batches, fault } }: StepFacts<EntropyConfig>,
): AlgorithmState {
  const { entropyControl, entropyTarget, entropyStep, entropyCeiling } = config;
  if (entropyControl === "scheduled") return {};
  const { entropyCoefficient, entropyLow } = state;
  if (fault !== undefined || batches.length === 0) return { entropyCoefficient, entropyLow };
  const entropy = mean(batches.map(({ sum, tokens }) => sum["policy/entropy"] / tokens));
  const low = entropy <= entropyTarget;
  return {
    entropyCoefficient: low
      ? Math.min(entropyCeiling, entropyCoefficient + entropyStep)
      : Math.max(0, entropyCoefficient - entropyStep),
    entropyLow: low ? 1 : 0,
  };
}

/** Loss less per nat of entropy at this step. */
export function entropyCoefficientAt(
  { config, step, state }: StepContext<EntropyConfig>,
): number {
  if (config.entropyControl === "adaptive") return state.entropyLow * state.entropyCoefficient;
  const { entropySchedule: kind, entropyCoefficient: peak, totalSteps: total } = config;
  return scheduleAt({ kind, peak, final: 0, warmup: 0, total }, step);
}
