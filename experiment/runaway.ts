/** When an update took the policy further than learning takes it: what came later is of no use. @module */
import { resolveRequest, type TrainRequest } from "./request.ts";

/**
 * Nats per token that a step may move the policy. The default run moves by 0.3 at most; steps of a
 * learning rate that ruins it show 7 and more.
 */
const MOST_MOVED = 3;

type Metrics = Readonly<Record<string, number>>;

/**
 * Whether a step's update was skipped, though there were scores, or moved the policy by more than 3 nats per token: within the step,
 * which shows where it has several updates, or since the step before, of which `before` are the metrics.
 */
export function isRunaway(metrics: Metrics, before?: Metrics): boolean {
  const unscored = metrics["rewards/scored_count"] === 0;
  if (metrics["optimizer/skipped_updates"] > 0 && !unscored) return true;
  if (metrics["policy/approxkl"] > MOST_MOVED) return true;
  const further = metrics["kl/reference"] - (before?.["kl/reference"] ?? NaN); // nats per completion
  return further / metrics["tokens/responses_len_mean"] > MOST_MOVED;
}

/** Follows the steps of a run, and knows where it first went astray. */
export class Course {
  #before: Metrics | undefined;
  #first: number | undefined;

  /** Takes the metrics of the next step. */
  take(step: number, metrics: Metrics): void {
    if (this.#first === undefined && isRunaway(metrics, this.#before)) this.#first = step;
    this.#before = metrics;
  }

  /**
   * Steps done that are surely good; undefined where all are. The numbers of the first runaway step show
   * what the update of the step before it did as well.
   */
  get good(): number | undefined {
    return this.#first === undefined ? undefined : Math.max(0, this.#first - 2);
  }
}

/** A learning rate to try after this request diverged: what suits its task, or a tenth. */
export function lowerLearningRate(request: TrainRequest): number {
  const { learningRate: _, ...others } = request.settings ?? {};
  const rateOf = (settings: TrainRequest["settings"]): number =>
    resolveRequest({ ...request, settings }).config.learningRate;
  const now = rateOf(request.settings), suited = rateOf(others);
  return suited < now ? suited : Number((now / 10).toPrecision(12)); // 1e-4 / 10 is 0.000009999…
}
