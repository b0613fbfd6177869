/**
 * The KL penalty against a reference: its settings, and how its coefficient changes from step to step.
 * Algorithms that use it spread `KL_ROWS` into their own rows.
 * @module
 */
import type { OptionRows, OptionValues } from "../base/options.ts";
import { scheduleAt } from "../base/schedules.ts";
import type { AlgorithmState, Needs, StepFacts } from "./algorithm.ts";
import { adaptKlCoefficient, KL_ESTIMATORS, stepKlCoefficient } from "./kl.ts";
import { maskedMean, meanRowSum } from "./stats.ts";
import { MAX_STEPS } from "./trainer_options.ts";

const ADAPTS = ["adaptive", "stepwise"] as const;

/** Rows of the KL penalty. */
// deno-fmt-ignore
export const KL_ROWS = {
  klEstimator: { kind: "choice", choices: KL_ESTIMATORS, default: "k1", doc: "per-token KL: an estimate from the token drawn, or full, exact over the vocabulary, which costs a forward pass of the reference more and its logits", group: "KL penalty" },
  klControl: { kind: "choice", choices: ["fixed", "adaptive", "stepwise", "linear"], default: "adaptive", doc: "how the KL coefficient changes after a rollout: not, by the distance of KL from klTarget, by klFactor where that is large, or over the run to klFinal", group: "KL penalty" },
  klCoefficient: { kind: "number", default: 0.2, min: 0, unit: "reward per nat", usual: "0 to 0.5", doc: "KL coefficient at the start; 0 is no penalty", group: "KL penalty" },
  klTarget: { kind: "number", default: 6, min: 0, above: true, unit: "nats per klTargetUnit", usual: "1 to 10 per sequence", only: { klControl: ADAPTS }, doc: "adaptive and stepwise: wanted KL", group: "KL penalty" },
  klTargetUnit: { kind: "choice", choices: ["sequence", "token"], default: "sequence", only: { klControl: ADAPTS }, doc: "adaptive and stepwise: KL is compared as the mean over responses of their sums, or as the mean over tokens", group: "KL penalty" },
  klHorizon: { kind: "number", default: 10000, min: 0, above: true, unit: "episodes", usual: "1e3 to 1e5", only: { klControl: "adaptive" }, doc: "adaptive: slowness of the coefficient", group: "KL penalty" },
  klFactor: { kind: "number", default: 1.5, min: 1, above: true, usual: "1.5 to 2", only: { klControl: "stepwise" }, doc: "stepwise: the coefficient is multiplied by it where KL is above klBand * klTarget, divided where below klTarget / klBand", group: "KL penalty" },
  klBand: { kind: "number", default: 1.5, min: 1, usual: "1.5", only: { klControl: "stepwise" }, doc: "stepwise: how far KL may be from klTarget, as a factor", group: "KL penalty" },
  klFloor: { kind: "number", default: 0, min: 0, unit: "reward per nat", usual: "0, 1e-6 to 1e-3", only: { klControl: ADAPTS }, doc: "adaptive and stepwise: least KL coefficient; at 0 it may shrink for as long as KL is below klTarget", group: "KL penalty" },
  klCeiling: { kind: "number", default: 0, min: 0, unit: "reward per nat", usual: "0, 0.1 to 10", only: { klControl: ADAPTS }, doc: "adaptive and stepwise: largest KL coefficient; 0 is none", group: "KL penalty" },
  klFinal: { kind: "number", default: 0, min: 0, unit: "reward per nat", usual: "0 to klCoefficient", only: { klControl: "linear" }, decayOf: "klCoefficient", doc: "linear: KL coefficient at the end", group: "KL penalty" },
  klMeasured: { kind: "boolean", default: false, only: { klCoefficient: 0 }, doc: "KL is reported also where it costs nothing: the reference and its memory are kept for that alone", group: "KL penalty" },
  referenceSync: { kind: "integer", default: 0, min: 0, max: MAX_STEPS, unit: "rollouts", usual: "0, 8 to 512", doc: "after every so many rollouts the reference is moved towards the policy (TR-DPO, arXiv 2404.09656); 0 is never", group: "KL penalty" },
  referenceMix: { kind: "number", default: 0.6, min: 0, above: true, max: 1, usual: "0.6, 1 for a copy", only: { referenceSync: { not: 0 } }, doc: "share of the policy in the reference that is moved: reference = mix * policy + (1 - mix) * reference", group: "KL penalty" },
} as const satisfies OptionRows;

/** Settings of the KL penalty. */
export type KlConfig = OptionValues<typeof KL_ROWS>;

type ReferenceConfig = Pick<KlConfig, "referenceSync" | "referenceMix">;

/** Those that the coefficient depends on. */
export type KlControlConfig = Omit<KlConfig, "klEstimator" | keyof ReferenceConfig>;

/**
 * True where a run with these settings needs the reference: it pays for KL at some step, or measures it.
 * @throws {RangeError} where the bounds of the coefficient leave no number between them
 */
export function needsReference(
  { klControl, klCoefficient, klFinal, klFloor, klCeiling, klMeasured }: KlControlConfig,
): boolean {
  const adapts = klControl === "adaptive" || klControl === "stepwise";
  if (adapts && klCeiling > 0 && klFloor > klCeiling) {
    throw new RangeError(
      `Cannot bound the KL coefficient as klFloor must be at most klCeiling=${klCeiling}: it is ` +
        `${klFloor}; lower it, or set klCeiling=0 for none`,
    );
  }
  return klMeasured || klCoefficient > 0 || klControl === "linear" && klFinal > 0 ||
    adapts && klFloor > 0;
}

/**
 * Whether a run with these settings needs the reference, and how it moves.
 * @throws {RangeError} where a reference is to move that there is not, and as `needsReference`
 */
export function referenceNeeds(
  config: KlControlConfig & ReferenceConfig,
): Pick<Needs, "reference" | "sync"> {
  const reference = needsReference(config), { referenceSync: every, referenceMix: mix } = config;
  if (every === 0) return { reference };
  if (!reference) {
    throw new RangeError(
      "Cannot sync the reference as there must be one: KL costs nothing (klCoefficient is 0) and is not " +
        "measured; set klCoefficient or klMeasured=true, or leave out referenceSync",
    );
  }
  return { reference, sync: { every, mix } };
}

/** What KL in the reward needs of a policy with these settings. */
export function rewardKlNeeds(config: KlConfig): Pick<Needs, "reference" | "kl" | "sync"> {
  const needs = referenceNeeds(config);
  const full = needs.reference && config.klEstimator === "full";
  return { ...needs, kl: full ? "advantages" : undefined };
}

/** The coefficient of the step after this one. */
export function nextKlCoefficient(
  coefficient: number,
  config: KlControlConfig,
  { step, totalSteps, kl, episodes, skipped }: {
    /** Steps done before this one. */
    step: number;
    totalSteps: number;
    /** Mean KL in nats per `klTargetUnit`. */
    kl: number;
    /** Sequences in this step that had a score. */
    episodes: number;
    /** True where the update was skipped: its KL says nothing. */
    skipped: boolean;
  },
): number {
  const { klControl, klCoefficient: peak, klFinal: final, klTarget: target } = config;
  if (klControl === "linear") {
    return scheduleAt({ kind: "linear", peak, final, warmup: 0, total: totalSteps }, step + 1);
  }
  if (klControl === "fixed" || skipped) return coefficient;
  const { klHorizon: horizon, klBand: band, klFactor: factor, klFloor, klCeiling } = config;
  const next = klControl === "adaptive"
    ? adaptKlCoefficient(coefficient, { kl, target, horizon, episodes })
    : stepKlCoefficient(coefficient, { kl, target, band, factor });
  return Math.max(klFloor, Math.min(klCeiling === 0 ? Infinity : klCeiling, next));
}

/** The state of an algorithm whose only memory is the coefficient, after a step. */
export function nextKlState(
  { config, step, state, experience: { kl, grid, scored }, update: { fault } }: StepFacts<
    KlControlConfig
  >,
): AlgorithmState {
  if (!kl && config.klControl !== "linear") return state; // no reference, or no response: no KL
  const klCoefficient = nextKlCoefficient(state.klCoefficient, config, {
    step,
    totalSteps: config.totalSteps,
    kl: !kl
      ? NaN
      : config.klTargetUnit === "token"
      ? maskedMean(kl, grid.mask)
      : meanRowSum(kl, grid),
    episodes: scored.filter((is) => is).length,
    skipped: fault !== undefined,
  });
  return { klCoefficient };
}
