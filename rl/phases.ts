/**
 * The turns in which a rollout is learned from, and the learning rates of each optimiser step, which are a
 * pure function of its place in the run.
 * @module
 */
import { scheduleAt } from "../base/schedules.ts";
import type { Algorithm, StepContext, UpdatePhase } from "./algorithm.ts";
import type { EvaluationGradient, StepRates } from "./policy.ts";
import type { TrainerConfig } from "./trainer_options.ts";

/** The turns in which a rollout is learned from: the algorithm's, or one with all losses at one rate. */
export function phasesOf<C>(
  algorithm: Pick<Algorithm<C>, "phases">,
  context: StepContext<C>,
): readonly UpdatePhase[] {
  const { epochs, learningRate: rate } = context.config;
  return algorithm.phases?.(context) ??
    [{ epochs, losses: "all", rates: { policy: rate, value: rate } }];
}

/** The part of a gradient that a phase learns from. */
export function gradientOf(
  gradient: EvaluationGradient,
  losses: UpdatePhase["losses"],
): EvaluationGradient {
  if (losses === "all") return gradient;
  const { dvalue, dlogprob, ...rest } = gradient;
  if (losses === "policy") return { dlogprob, ...rest };
  return { dlogprob: new Float32Array(dlogprob.length), dvalue };
}

/** Steps of the schedule in the whole run, in the unit of its settings. */
export const scheduleSteps = (
  { scheduleUnit, totalSteps, epochs, minibatches }: TrainerConfig,
): number => totalSteps * (scheduleUnit === "rollouts" ? 1 : epochs * minibatches);

/**
 * The rates of an optimiser step: those of its phase, as the schedule scales them. By rollouts they are
 * the same in all of an update; by optimiser steps each has its own place, which does not depend on how
 * many were taken: after a target-KL stop the next rollout begins where it would have begun.
 */
export function ratesAt(
  config: TrainerConfig,
  { epochs: passes, rates }: UpdatePhase,
  { step, done }: {
    /** Rollouts before this one. */
    step: number;
    /** Optimiser steps of the phase before this one. */
    done: number;
  },
): StepRates {
  const { minibatches, totalSteps, warmupSteps: warmup } = config;
  const { learningRateSchedule: kind, learningRate, learningRateFinal: last } = config;
  const total = scheduleSteps(config), each = total / totalSteps;
  const at = step * each + Math.floor(done * each / (passes * minibatches));
  const rateAt = (peak: number | undefined): number => {
    if (peak === undefined) return 0;
    const final = peak === learningRate || learningRate === 0 ? last : last * peak / learningRate;
    return scheduleAt({ kind, peak, final, warmup, total }, at);
  };
  return { policy: rateAt(rates.policy), value: rateAt(rates.value) };
}

/** What is reported of an update: the largest rate of each at the start of a phase. */
export function ratesOfUpdate<C>(algorithm: Algorithm<C>, context: StepContext<C>): StepRates {
  const all = phasesOf(algorithm, context)
    .map((phase) => ratesAt(context.config, phase, { step: context.step, done: 0 }));
  const most = (of: keyof StepRates) => Math.max(...all.map((rates) => rates[of]));
  return { policy: most("policy"), value: most("value") };
}
