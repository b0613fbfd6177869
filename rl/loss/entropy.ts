/** The entropy bonus: its settings, and its coefficient at a step. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { scheduleAt } from "../../base/schedules.ts";
import type { StepContext } from "../algorithm.ts";
import { DECAYS } from "../trainer_options.ts";

/** Rows of the bonus. */
// deno-fmt-ignore
export const ENTROPY_ROWS = {
  entropyCoefficient: { kind: "number", default: 0, min: 0, unit: "loss per nat", usual: "0 to 0.02", doc: "reward for entropy", group: "Loss" },
  entropySchedule: { kind: "choice", choices: DECAYS, default: "constant", only: { entropyCoefficient: { not: 0 } }, doc: "decay of entropyCoefficient to 0 over the run", group: "Loss" },
} as const satisfies OptionRows;

/** Loss less per nat of entropy at this step. */
export const entropyCoefficientAt = (
  { config: { entropySchedule: kind, entropyCoefficient: peak, totalSteps: total }, step }:
    StepContext<OptionValues<typeof ENTROPY_ROWS>>,
): number => scheduleAt({ kind, peak, final: 0, warmup: 0, total }, step);
