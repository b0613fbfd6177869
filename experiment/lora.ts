/** The settings of a run's adapter. @module */
import type { LoraOptions } from "../model/lora/lora.ts";
import type { TaskSettings } from "../tasks/task.ts";

/** Settings of a run's adapter. */
export type LoraSettings = Pick<TaskSettings, "loraRank" | "loraAlpha" | "loraTargets">;

/** All weights are trained where a run does not say. */
export const NO_LORA: LoraSettings = { loraRank: 0, loraAlpha: 16, loraTargets: "auto" };

/** The adapter that a run trains; undefined where it trains all weights. */
export function loraOf(
  { loraRank, loraAlpha, loraTargets }: LoraSettings,
): LoraOptions | undefined {
  if (loraRank === 0) return undefined;
  const targets = loraTargets === "auto"
    ? {}
    : { targets: loraTargets === "all-linear" ? loraTargets : loraTargets.split(",") };
  return { rank: loraRank, alpha: loraAlpha, ...targets };
}
