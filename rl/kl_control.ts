/**
 * The KL penalty against a reference: its settings, and how its coefficient changes from step to step.
 * Algorithms that use it spread `KL_ROWS` into their own rows.
 * @module
 */
import type { OptionRows, OptionValues } from "../base/options.ts";
import { scheduleAt } from "../base/schedules.ts";
import type { AlgorithmState, StepFacts } from "./algorithm.ts";
import { adaptKlCoefficient } from "./kl.ts";
import { meanRowSum } from "./stats.ts";

/** Rows of the KL penalty. */
// deno-fmt-ignore
export const KL_ROWS = {
  klEstimator: { kind: "choice", choices: ["k1", "k2", "k3"], default: "k1", doc: "estimate of the per-token KL", group: "KL penalty" },
  klControl: { kind: "choice", choices: ["fixed", "adaptive", "linear"], default: "adaptive", doc: "how the KL coefficient changes after a rollout", group: "KL penalty" },
  klCoefficient: { kind: "number", default: 0.2, min: 0, unit: "reward per nat", usual: "0 to 0.5", doc: "KL coefficient at the start; 0 is no penalty", group: "KL penalty" },
  klTarget: { kind: "number", default: 6, min: 0, above: true, unit: "nats per sequence", usual: "1 to 10", only: { klControl: "adaptive" }, doc: "adaptive: wanted KL", group: "KL penalty" },
  klHorizon: { kind: "number", default: 10000, min: 0, above: true, unit: "episodes", usual: "1e3 to 1e5", only: { klControl: "adaptive" }, doc: "adaptive: slowness of the coefficient", group: "KL penalty" },
  klFinal: { kind: "number", default: 0, min: 0, unit: "reward per nat", usual: "0 to klCoefficient", only: { klControl: "linear" }, decayOf: "klCoefficient", doc: "linear: KL coefficient at the end", group: "KL penalty" },
} as const satisfies OptionRows;

/** Settings of the KL penalty. */
export type KlConfig = OptionValues<typeof KL_ROWS>;

/** The coefficient of the step after this one. */
export function nextKlCoefficient(
  coefficient: number,
  { klControl, klCoefficient: peak, klFinal: final, klTarget: target, klHorizon: horizon }:
    KlConfig,
  { step, totalSteps, kl, episodes, skipped }: {
    /** Steps done before this one. */
    step: number;
    totalSteps: number;
    /** Mean over sequences of the KL summed over each sequence's tokens, nats per sequence. */
    kl: number;
    /** Sequences in this step that had a score. */
    episodes: number;
    /** True where the update was skipped: its KL says nothing. */
    skipped: boolean;
  },
): number {
  if (klControl === "linear") {
    return scheduleAt({ kind: "linear", peak, final, warmup: 0, total: totalSteps }, step + 1);
  }
  if (klControl === "fixed" || skipped) return coefficient;
  return adaptKlCoefficient(coefficient, { kl, target, horizon, episodes });
}

/** The state of an algorithm whose only memory is the coefficient, after a step. */
export function nextKlState(
  { config, step, state, experience: { kl, grid, scored }, update: { fault } }: StepFacts<KlConfig>,
): AlgorithmState {
  if (!kl) return state; // no reference, no KL
  const klCoefficient = nextKlCoefficient(state.klCoefficient, config, {
    step,
    totalSteps: config.totalSteps,
    kl: meanRowSum(kl, grid),
    episodes: scored.filter((is) => is).length,
    skipped: fault !== undefined,
  });
  return { klCoefficient };
}
