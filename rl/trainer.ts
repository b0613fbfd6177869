/**
 * The loop around a policy, a score and an algorithm: draw, score, evaluate, work out advantages, learn
 * a few epochs. It names no algorithm.
 * @module
 */
import type { Algorithm, Experience, Needs } from "./algorithm.ts";
import { asAlgorithm, DEFAULT_ALGORITHM } from "./algorithms/registry.ts";
import { tooManySkipped } from "./diverged.ts";
import { drawBatch, type StepBatch } from "./draw_batch.ts";
import { collect } from "./experience.ts";
import { type GivenCompletions, givenDraw } from "./given.ts";
import { checkPolicy, needsOf } from "./needs.ts";
import type { Policy, Rollout } from "./policy.ts";
import { asSource, type PromptSource } from "./prompts.ts";
import { NO_SCORES } from "./score_scaling.ts";
import type { ScoreBreakdown, ScoreFunction, Scores } from "./scores.ts";
import { checkNext, readState, type TrainerState } from "./state.ts";
import { stepMetrics } from "./summary.ts";
import { type StepTimings, timer } from "./timings.ts";
import { type TrainerConfig, trainerOptions } from "./trainer_options.ts";
import { learn, type UpdateResult } from "./update.ts";

export type { TrainerState } from "./state.ts";
export type { StepTimings } from "./timings.ts";

/** What one step gives back. */
export interface TrainerStep {
  /** Prompts and completions learned from; each prompt as often as the algorithm's groups are large. */
  rollout: Rollout;
  /** As the score function gave them; of several rewards the total. */
  scores: Scores;
  /** By name, always all of the algorithm's metrics, in its order. */
  metrics: Record<string, number>;
  /** Advantages, KL, old log-probabilities and what else the step learned from. */
  experience: Experience;
  /** Why its update was skipped, if it was. */
  fault?: string;
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
    this.#state = {
      ...{ step: 0, faults: 0, algorithm: this.algorithm.start?.(this.config) ?? {} },
      ...(this.config.scoreScaling !== "off" && { scores: NO_SCORES }),
    };
  }

  /** What to save beside the weights (of a reference that moves, too) and optimiser to continue exactly. */
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
    const scaled = this.config.scoreScaling !== "off";
    this.#state = readState(saved, { names, options, needs: this.needs, scaled });
  }

  /**
   * One rollout and its update: `needs.groupSize` completions of each prompt. `score` gives one number
   * for each response, or null where it cannot tell; such a response is counted and not learned from. It
   * may give those of several rewards, with their weights and their sum. Where it takes its time, policy
   * and reference are evaluated meanwhile. Where the algorithm has a greedy baseline it is asked about
   * greedy completions first. With dynamic sampling both may be asked several times, and the step learns
   * from what was not evicted; where that is nothing, there is no update, which is no fault. Where it
   * throws, the trainer stays where it was.
   * @param prompts the prompts of this step; or where all steps take theirs from, which dynamic sampling
   * needs, as nobody knows how many it takes
   * @throws {RangeError} for a step beyond `totalSteps`, too few prompts, arrays of the wrong size, or a
   * score that is not finite
   * @throws {TypeError} for scores that are no numbers, an array where dynamic sampling may need further
   * prompts, or a state of the algorithm's that could not be read back
   * @throws {Error} when the third update in a row had to be skipped, with the reason
   */
  step(prompts: Int32Array[] | PromptSource, score: ScoreFunction): Promise<TrainerStep>;
  /**
   * The same for completions that something else drew, and scores that are known: as TRL's step() of old.
   * Arrays have one entry a completion; the members of a group are next to each other.
   * @throws what the other form and `givenDraw` throw
   */
  step(
    prompts: Int32Array[],
    completions: Int32Array[] | GivenCompletions,
    scores: Scores | ScoreBreakdown,
  ): Promise<TrainerStep>;
  async step(
    prompts: Int32Array[] | PromptSource,
    score: ScoreFunction | Int32Array[] | GivenCompletions,
    scores?: Scores | ScoreBreakdown,
  ): Promise<TrainerStep> {
    const { config, algorithm, needs } = this, { step, faults, algorithm: state } = this.#state;
    if (step >= config.totalSteps) {
      throw new RangeError(
        `Cannot take step ${step + 1} as the run, and with it every schedule, ends with step ` +
          `${config.totalSteps}: give a larger totalSteps`,
      );
    }
    const { name } = algorithm, { minibatches } = config;
    const asked = typeof score === "function" ? { prompts, score } : givenDraw(this.#policy, {
      ...{
        prompts: prompts as Int32Array[],
        completions: score,
        scores: scores!,
        name,
        needs,
        config,
      },
    });
    const source = asSource(asked.prompts, { name, needs, minibatches });
    const { timings, timed } = timer();
    const drawn = await drawBatch(this.#policy, {
      ...{ ...asked, source, timed, needs, config, state: this.#state },
    });
    const context = { config, step, state };
    const experience = await timed(
      "evaluate",
      () => collect(this.#policy, { ...drawn, algorithm, needs, context }),
    );
    const { fault, grid } = experience;
    const update: UpdateResult = fault === undefined && grid.B > 0
      ? await timed(
        "update",
        () => learn(this.#policy, { experience, algorithm, context }),
      )
      : { batches: [], totals: [], gradientNorms: [], epochs: 0, fault };
    const facts = { ...context, experience, update };
    this.#advance(facts, faults, drawn);
    const metrics = stepMetrics(algorithm, facts);
    const { batch } = drawn, skipped = update.fault;
    return {
      ...{ rollout: batch.rollout, scores: batch.scores, metrics, experience, timings },
      ...(skipped !== undefined && { fault: skipped }),
    };
  }

  /** Takes the state of the next step. @throws {Error} after too many skipped updates */
  #advance(
    facts: Parameters<NonNullable<Algorithm["next"]>>[0],
    before: number,
    { batch: { next: sampling, counts: { scored } }, seen: scores }: StepBatch,
  ): void {
    const { fault } = facts.update;
    const faults = fault === undefined ? 0 : before + 1;
    if (faults >= MAX_FAULTS) {
      throw tooManySkipped(faults, fault!, scored > 0);
    }
    const algorithm = this.algorithm.next?.(facts) ?? facts.state;
    checkNext(this.algorithm.name, facts.state, algorithm);
    const { sync } = this.needs;
    if (sync && (facts.step + 1) % sync.every === 0) this.#policy.syncReference!(sync.mix);
    this.#state = {
      ...{ step: facts.step + 1, faults, algorithm },
      ...(sampling && { sampling }),
      ...(scores && { scores }),
    };
  }
}
