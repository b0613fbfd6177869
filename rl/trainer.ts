/**
 * The PPO loop around a policy and a score: draw, judge, compare with the reference, work out
 * advantages, learn a few epochs, adapt the KL coefficient.
 * @module
 */
import { type PpoConfig, resolvePpoConfig } from "./config.ts";
import { collect, type Experience } from "./experience.ts";
import { adaptKlCoefficient } from "./kl.ts";
import type { Policy, Rollout } from "./policy.ts";
import { scheduleAt } from "../base/schedules.ts";
import { meanSequenceKl, stepMetrics } from "./summary.ts";
import { learn, type UpdateResult } from "./update.ts";

/** All that a trainer remembers from one step to the next; plain JSON. */
export interface PpoState {
  /** Steps done. */
  step: number;
  /** KL coefficient of the next step. */
  klCoefficient: number;
  /** Updates given up in a row. */
  faults: number;
}

/** What one step gives back. */
export interface PpoStep {
  /** Prompts and completions. */
  rollout: Rollout;
  /** As the score function gave them. */
  scores: (number | null)[];
  /** By name, always all of `PPO_METRICS`, in its order. */
  metrics: Record<string, number>;
}

/** Updates that may be given up in a row before training stops. */
const MOST_FAULTS = 3;

/**
 * Proximal policy optimisation (arXiv 1707.06347) of a language policy, as in TRL 0.11: per-token KL
 * penalty, score on the last token, GAE, whitened advantages. All randomness comes from the seed and
 * the step number, so the same policy, state and scores give the same step.
 */
export class PpoTrainer {
  /** Every setting, resolved; frozen. */
  readonly config: Readonly<PpoConfig>;
  #policy: Policy;
  #state: PpoState;

  /**
   * Trains `policy` with the defaults of TRL 0.11 where `settings` names nothing else.
   * @throws {TypeError|RangeError} as `resolvePpoConfig`.
   */
  constructor(policy: Policy, settings: Partial<PpoConfig> = {}) {
    this.config = resolvePpoConfig(settings);
    this.#policy = policy;
    this.#state = { step: 0, klCoefficient: this.config.klCoefficient, faults: 0 };
  }

  /** What to save beside the policy's weights and optimiser to go on exactly from here. */
  state(): PpoState {
    return { ...this.#state };
  }

  /**
   * Goes on from a saved state.
   * @throws {TypeError} where a field is missing or not a number >= 0.
   */
  restore({ step, klCoefficient, faults }: PpoState): void {
    for (const [name, value] of Object.entries({ step, klCoefficient, faults })) {
      if (!Number.isFinite(value) || value < 0 || (name === "step" && !Number.isInteger(value))) {
        throw new TypeError(`Cannot restore PPO as ${name} must be a number >= 0: it is ${value}`);
      }
    }
    this.#state = { step, klCoefficient, faults };
  }

  /**
   * One rollout and its update. `score` gives one number a response, or null where it cannot judge;
   * such a response is counted and not learned from.
   * @throws {RangeError} for too few prompts, or arrays of the wrong size.
   * @throws {Error} when the third update in a row had to be given up, with the reason.
   */
  async step(
    prompts: Int32Array[],
    score: (rollout: Rollout) => Promise<(number | null)[]>,
  ): Promise<PpoStep> {
    const { config } = this, { step, klCoefficient } = this.#state, total = config.totalSteps;
    if (prompts.length < config.minibatches) {
      throw new RangeError(
        `Cannot split a rollout as it needs at least one prompt for each of ${config.minibatches} minibatches: it has ${prompts.length}`,
      );
    }
    const { maxNewTokens, temperature, seed } = config;
    const options = { maxNewTokens, temperature, seed, stream: step };
    const rollout = await this.#policy.generate(prompts, options);
    const scores = await score(rollout);
    const given = { rollout, scores, config, klCoefficient };
    const experience = await collect(this.#policy, given);
    const learningRate = scheduleAt({
      kind: config.learningRateSchedule,
      peak: config.learningRate,
      final: config.learningRateFinal,
      warmup: config.warmupSteps,
      total,
    }, step);
    const update: UpdateResult = experience.fault === undefined
      ? await learn(this.#policy, { experience, config, step, learningRate })
      : { means: [], gradientNorms: [], epochs: 0, fault: experience.fault };
    const faults = update.fault === undefined ? 0 : this.#state.faults + 1;
    if (faults >= MOST_FAULTS) {
      throw new Error(
        `Cannot go on training as ${MOST_FAULTS} updates in a row had to be given up: ${update.fault}; resume from the last checkpoint with a lower learning rate, or mend the reward`,
      );
    }
    this.#state = {
      step: step + 1,
      klCoefficient: this.#nextCoefficient(experience, update),
      faults,
    };
    const metrics = stepMetrics(experience, { update, learningRate, klCoefficient });
    return { rollout, scores, metrics };
  }

  #nextCoefficient(experience: Experience, { fault }: UpdateResult): number {
    const { klControl, klTarget: target, klHorizon: horizon } = this.config;
    const { klCoefficient, step } = this.#state;
    if (klControl === "linear") {
      const { klCoefficient: peak, klFinal: final, totalSteps: total } = this.config;
      return scheduleAt({ kind: "linear", peak, final, warmup: 0, total }, step + 1);
    }
    if (klControl === "fixed" || fault !== undefined) return klCoefficient;
    const episodes = experience.judged.filter((judged) => judged).length;
    return adaptKlCoefficient(klCoefficient, {
      kl: meanSequenceKl(experience),
      target,
      horizon,
      episodes,
    });
  }
}
