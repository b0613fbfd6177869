/**
 * What an algorithm is: a file that says what it needs of a policy, how scores become advantages, and
 * how advantages become a loss with its gradient. The trainer's loop asks these questions and names no
 * algorithm; a new one is a file in `algorithms/` and a line in its registry.
 * @module
 */
import type { OptionTable } from "../base/options.ts";
import type { Numbers, ResponseGrid } from "./batch.ts";
import type { DrawCounts, DynamicSampling } from "./dynamic_sampling.ts";
import type { LossSums } from "./loss/sums.ts";
import type { MetricInfo } from "./metrics.ts";
import type { ReferenceNeeds, ValueHeadNeeds } from "./needs.ts";
import type { Evaluation, EvaluationGradient, Rollout, StepRates } from "./policy.ts";
import type { TrainerConfig } from "./trainer_options.ts";
import type { UpdateResult } from "./update.ts";

/** What a run must have made for an algorithm, known before models are opened and memory is planned. */
export interface Needs extends ReferenceNeeds {
  /** A value head. */
  value: boolean;
  /** How that head is made. Default: from zeros, not detached, with one norm for all gradients. */
  head?: ValueHeadNeeds;
  /** Completions that are drawn for each prompt and compared with each other, >= 1. */
  groupSize: number;
  /** The score of each prompt's most probable completion, to compare with. Default: not. */
  greedyBaseline?: boolean;
  /** Groups whose scores are all equal are evicted, and others drawn in their place. Default: not. */
  dynamicSampling?: DynamicSampling;
}

/** What an algorithm remembers from one step to the next; plain JSON. */
export type AlgorithmState = Readonly<Record<string, number>>;

/** Where a run is: every setting, the steps done before this one, and the algorithm's own state. */
export interface StepContext<C> {
  config: Readonly<C & TrainerConfig>;
  step: number;
  state: AlgorithmState;
}

/** What one of several rewards gave a rollout. */
export interface RewardColumn {
  name: string;
  /** What it counts for; not 0. */
  weight: number;
  /** (B) As the reward gave it, before the weight; 0 where it gave none. */
  score: Float32Array;
  /** True where this reward gave a score, and the row is one that counts at all. */
  scored: boolean[];
}

/** A rollout, scored and evaluated; arrays are (B, T) unless said. */
export interface ScoredRollout {
  /** Prompts and completions. Rows b with the same floor(b / groupSize) answer the same prompt. */
  rollout: Rollout;
  /** Rows without a score are masked out. */
  grid: ResponseGrid;
  /** (B), after `scoreScaling` and `scoreClip`; 0 where there was no score. */
  score: Float32Array;
  /** True where the row has a score and, if that is needed, its prompt's greedy completion has one. */
  scored: boolean[];
  /** (B) Score of the greedy completion of the row's prompt, likewise; absent where not needed. */
  greedyScore?: Float32Array;
  /** The rewards that `score` sums up; one, `score`, where the score function gave single numbers. */
  columns: readonly RewardColumn[];
  /** The policy as it drew the tokens, by the training pass; of kept groups the sampler's `logprob`. */
  old: Evaluation;
  /** The sampler's own log-probabilities. */
  sampled: Float32Array;
  /** Log-probabilities under the reference; absent where the algorithm does not need it. */
  reference?: Float32Array;
}

/** What an algorithm makes of a scored rollout, fixed over all epochs; each (B, T), 0 where masked. */
export interface Advantages {
  /** As used: whitened, if so configured. */
  advantage: Float32Array;
  /** Targets of the value head, where there is one. */
  returns?: Float32Array;
  /** Estimate of KL(policy || reference) of each token, nats. */
  kl?: Float32Array;
  /** The KL penalty alone, in reward units, where it is part of the reward. */
  penalty?: Float32Array;
  /** What each token's policy loss is multiplied by, KL and entropy not. Default: 1. */
  policyWeight?: Float32Array;
  /** What is to be reported of them, by the names of the algorithm's metrics. */
  facts?: Readonly<Record<string, number>>;
}

/** A rollout with all that is learned from it. */
export interface Experience extends ScoredRollout, Advantages {
  /** The policy before the update, by the training pass: `old`, but for kept groups. */
  now: Evaluation;
  /** What was drawn for it. */
  draws: DrawCounts;
  /** `Policy.lastPass` after the evaluation that gave `now`. */
  lastPass?: unknown;
  /** Why this rollout cannot be learned from, if it cannot. */
  fault?: string;
}

/** What a loss reads of some rows of a rollout, each (B, T) in the piece's own grid. */
export interface LossInputs {
  grid: ResponseGrid;
  /** l, of the policy as it is now. */
  logprob: Numbers;
  /** H, likewise. */
  entropy: Numbers;
  /** v, likewise; absent without a value head. */
  value?: Numbers;
  /** KL over the whole vocabulary, likewise; absent where `needs.kl` is not "loss". */
  kl?: Numbers;
  /** l', of the policy that drew the tokens; the same numbers in every epoch. */
  oldLogprob: Numbers;
  /** v', likewise. */
  oldValue?: Numbers;
  /** The sampler's own log-probabilities. */
  sampled: Numbers;
  reference?: Numbers;
  /** A */
  advantage: Numbers;
  /** R */
  returns?: Numbers;
  /** See `Advantages`. */
  policyWeight?: Numbers;
  /** Rows of the whole optimiser batch with a token that counts. Default: those of this piece. */
  rows?: number;
}

/** One turn of an update: passes over the rollout in which some of the losses are learned from. */
export interface UpdatePhase {
  /** Passes, >= 1. */
  epochs: number;
  /** Whose gradient is taken: the value loss's, that of all the rest, or both. */
  losses: "all" | "value" | "policy";
  /** Peaks of the learning rates, which the schedule scales; what has none stays as it is. */
  rates: Partial<StepRates>;
}

/** The rows of a rollout that one optimiser step learns from. */
export interface OptimiserBatch {
  /** The rollout's grid; the mask is 0 in rows of other batches. */
  grid: ResponseGrid;
  /** Rows of this batch, those without a score among them. */
  rows: readonly number[];
  /** (B) False where a response was cut off at `maxNewTokens`. */
  finished: readonly boolean[];
}

/** What a loss comes to. */
export interface LossResult {
  /** Over the tokens that count, by the name of the metric; see `LossSums`. */
  sums: LossSums;
  /** Of the weighted loss. */
  gradient: EvaluationGradient;
}

/** What a step's own metrics are made of. */
export interface StepFacts<C> extends StepContext<C> {
  experience: Experience;
  update: UpdateResult;
}

/** An algorithm with settings `C` of its own. */
export interface Algorithm<C = Record<string, unknown>> {
  /** What the command line calls it: lower-case, no spaces. */
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** Where it was published. */
  readonly paper: string;
  /** Its own settings; those of the loop are in `TRAINER_OPTIONS`. */
  readonly options: OptionTable<C>;
  /** What it wants of the loop where nobody says otherwise. */
  readonly trainerDefaults?: Readonly<Partial<TrainerConfig>>;
  /** Every number that a step reports, in the order of the columns. */
  readonly metrics: readonly MetricInfo[];
  needs(config: Readonly<C>): Needs;
  /** State before the first step. Default: none. */
  start?(config: Readonly<C & TrainerConfig>): AlgorithmState;
  /** State after a step, which may have had no rows, with the fields of `start`. Default: as it was. */
  next?(facts: StepFacts<C>): AlgorithmState;
  /** From scores to advantages. Called once a rollout. */
  advantages(rollout: ScoredRollout, context: StepContext<C>): Advantages;
  /** In which turns policy and value head learn. Default: together, `epochs` times, at `learningRate`. */
  phases?(context: StepContext<C>): readonly UpdatePhase[];
  /** The normaliser of an optimiser batch, (B, T) in its grid. Default: the mean over its tokens. */
  weights?(batch: OptimiserBatch, context: StepContext<C>): Float64Array;
  /**
   * Loss and gradient of some rows. `weight` (B, T) is the normaliser, worked out once for the whole
   * optimiser batch (0 where masked): the loss is the sum of weight times each token's loss, so that
   * pieces of any size add up to the same gradient and no loss divides by a count of its own. Where the
   * weights are not a mean over tokens, the loss belongs in `sums.weighted`.
   */
  loss(piece: LossInputs, weight: Float64Array, context: StepContext<C>): LossResult;
  /** The loss of a whole optimiser batch from `meansOf` its sums; it is reported as `loss/total`. */
  total(means: Readonly<Record<string, number>>, context: StepContext<C>): number;
  /** Values of its own metrics that are not means of the loss's sums. Default: none. */
  report?(facts: StepFacts<C>): Record<string, number>;
}
