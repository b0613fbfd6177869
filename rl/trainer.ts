/**
 * The loop around a policy, a score and an algorithm: draw, score, evaluate, work out advantages, learn
 * a few epochs. It names no algorithm.
 * @module
 */
import { scheduleAt } from "../base/schedules.ts";
import { type Algorithm, checkPolicy, type Experience, type Needs, needsOf } from "./algorithm.ts";
import { asAlgorithm, DEFAULT_ALGORITHM } from "./algorithms/registry.ts";
import { tooManySkipped } from "./diverged.ts";
import { collect } from "./experience.ts";
import type { Policy, Rollout } from "./policy.ts";
import { checkScores, type ScoreFunction, type Scores } from "./scores.ts";
import { checkNext, readState, type TrainerState } from "./state.ts";
import { stepMetrics } from "./summary.ts";
import { type TrainerConfig, trainerOptions } from "./trainer_options.ts";
import { learn, type UpdateResult } from "./update.ts";

export type { TrainerState } from "./state.ts";

/** Seconds that the parts of a step took. */
export interface StepTimings {
  /** Drawing completions. */
  generate: number;
  /** The score function. */
  score: number;
  /** Log-probabilities under policy and reference, and advantages. */
  evaluate: number;
  /** Epochs of forward and backward passes. */
  update: number;
}

/** What one step gives back. */
export interface TrainerStep {
  /** Prompts and completions; each prompt as often as the algorithm's groups are large. */
  rollout: Rollout;
  /** As the score function gave them; of several rewards the total. */
  scores: Scores;
  /** By name, always all of the algorithm's metrics, in its order. */
  metrics: Record<string, number>;
  /** Advantages, KL, old log-probabilities and what else the step learned from. */
  experience: Experience;
  timings: StepTimings;
}

/** Settings of a trainer: the loop's, and those of the algorithm. */
export type TrainerSettings = Partial<TrainerConfig> & Readonly<Record<string, unknown>>;

/** Skipped updates in a row after which training stops. */
const MAX_FAULTS = 3;

/**
 * Trains a policy with an algorithm. All randomness comes from the seed and the step number, so the same
 * policy, state and scores give the same step.
 */
export class Trainer {
  /** Every setting, resolved; frozen. */
  readonly config: Readonly<TrainerConfig & Record<string, unknown>>;
  readonly algorithm: Algorithm;
  /** What the algorithm needs with these settings. */
  readonly needs: Needs;
  #policy: Policy;
  #state: TrainerState;

  /**
   * Trains `policy` with an algorithm of the registry or one of your own, with its defaults where
   * `settings` names nothing else.
   * @throws {TypeError|RangeError} for a setting that the algorithm does not have, or out of range
   * @throws {TypeError} for what is no algorithm, or where the policy lacks what the algorithm needs
   */
  constructor(
    policy: Policy,
    settings: TrainerSettings = {},
    // deno-lint-ignore no-explicit-any -- any settings of its own
    algorithm: string | Algorithm<any> = DEFAULT_ALGORITHM,
  ) {
    this.algorithm = asAlgorithm(algorithm);
    this.config = trainerOptions(this.algorithm as Algorithm<never>).resolve(settings) as
      & TrainerConfig
      & Record<string, unknown>;
    this.needs = needsOf(this.algorithm, this.config);
    checkPolicy(policy, this.algorithm.name, this.needs);
    this.#policy = policy;
    this.#state = { step: 0, faults: 0, algorithm: this.algorithm.start?.(this.config) ?? {} };
  }

  /** What to save beside the policy's weights and optimiser to continue exactly from here. */
  state(): TrainerState {
    return structuredClone(this.#state);
  }

  /**
   * Continues from a saved state, also one of an earlier version, which kept the algorithm's numbers
   * beside `step` and `faults`.
   * @throws {TypeError} where a field is missing or not a number in its range
   */
  restore(saved: TrainerState | Readonly<Record<string, number>>): void {
    const names = Object.keys(this.#state.algorithm), { options } = this.algorithm;
    this.#state = readState(saved, { names, options });
  }

  /**
   * One rollout and its update: `needs.groupSize` completions of each prompt. `score` gives one number
   * for each response, or null where it cannot tell; such a response is counted and not learned from. It
   * may give those of several rewards, with their weights and their sum.
   * Where the algorithm has a greedy baseline it is asked about greedy completions first.
   * Where it throws, the trainer stays where it was.
   * @throws {RangeError} for a step beyond `totalSteps`, too few prompts, arrays of the wrong size, or a
   * score that is not finite
   * @throws {TypeError} for scores that are no numbers, or a state of the algorithm's that could not be
   * read back
   * @throws {Error} when the third update in a row had to be skipped, with the reason
   */
  async step(
    prompts: Int32Array[],
    score: ScoreFunction,
  ): Promise<TrainerStep> {
    const { config, algorithm } = this, { step, faults, algorithm: state } = this.#state;
    if (step >= config.totalSteps) {
      throw new RangeError(
        `Cannot take step ${step + 1} as the run, and with it every schedule, ends with step ` +
          `${config.totalSteps}: give a larger totalSteps`,
      );
    }
    const repeated = prompts.flatMap((prompt) =>
      Array<Int32Array>(this.needs.groupSize).fill(prompt)
    );
    if (repeated.length < config.minibatches) {
      throw new RangeError(
        `Cannot split a rollout as it needs at least one prompt for each of ${config.minibatches} ` +
          `minibatches: it has ${repeated.length}`,
      );
    }
    const timings: StepTimings = { generate: 0, score: 0, evaluate: 0, update: 0 };
    const timed = async <T>(part: keyof StepTimings, work: () => Promise<T>): Promise<T> => {
      const from = performance.now();
      const result = await work();
      timings[part] += (performance.now() - from) / 1000;
      return result;
    };
    const { maxNewTokens, temperature, seed } = config;
    const options = { maxNewTokens, temperature, seed, stream: step };
    const draw = async (asked: Int32Array[], greedy: boolean) => {
      const rollout = await timed(
        "generate",
        () => this.#policy.generate(asked, { ...options, ...(greedy && { greedy }) }),
      );
      const given = await timed("score", () => score(rollout, greedy ? "greedy" : "sampled"));
      return { rollout, ...checkScores(given, asked.length) };
    };
    const { needs, needs: { groupSize, greedyBaseline } } = this;
    const greedyScores = greedyBaseline
      ? (await draw(prompts, true)).scores.flatMap((of) => Array<typeof of>(groupSize).fill(of))
      : undefined;
    const { rollout, scores, columns } = await draw(repeated, false);
    const context = { config, step, state };
    const experience = await timed(
      "evaluate",
      () =>
        collect(this.#policy, {
          ...{ rollout, scores, columns, greedyScores, algorithm, needs, context },
        }),
    );
    const learningRate = this.#learningRate(step);
    const update: UpdateResult = experience.fault === undefined
      ? await timed(
        "update",
        () => learn(this.#policy, { experience, algorithm, context, learningRate }),
      )
      : { batches: [], totals: [], gradientNorms: [], epochs: 0, fault: experience.fault };
    const facts = { ...context, experience, update };
    this.#advance(facts, faults);
    const metrics = stepMetrics(algorithm, facts, learningRate);
    return { rollout, scores, metrics, experience, timings };
  }

  /** Takes the state of the next step. @throws {Error} after too many skipped updates */
  #advance(
    facts: Parameters<NonNullable<Algorithm["next"]>>[0],
    before: number,
  ): void {
    const { fault } = facts.update;
    const faults = fault === undefined ? 0 : before + 1;
    if (faults >= MAX_FAULTS) {
      throw tooManySkipped(faults, fault!, facts.experience.scored.includes(true));
    }
    const algorithm = this.algorithm.next?.(facts) ?? facts.state;
    checkNext(this.algorithm.name, facts.state, algorithm);
    this.#state = { step: facts.step + 1, faults, algorithm };
  }

  #learningRate(step: number): number {
    return scheduleAt({
      kind: this.config.learningRateSchedule,
      peak: this.config.learningRate,
      final: this.config.learningRateFinal,
      warmup: this.config.warmupSteps,
      total: this.config.totalSteps,
    }, step);
  }
}
