/** How long the parts of a step take. @module */

/** Seconds that the parts of a step took. */
export interface StepTimings {
  /** Drawing completions. */
  generate: number;
  /** The score function: what was waited for it beyond the evaluation that went on meanwhile. */
  score: number;
  /** Log-probabilities under policy and reference, and advantages. */
  evaluate: number;
  /** Epochs of forward and backward passes. */
  update: number;
}

/** Does some work and adds its seconds to a part. */
export type Timed = <T>(part: keyof StepTimings, work: () => Promise<T>) => Promise<T>;

/** The parts of a new step, and what adds to them. */
export function timer(): { timings: StepTimings; timed: Timed } {
  const timings: StepTimings = { generate: 0, score: 0, evaluate: 0, update: 0 };
  const timed: Timed = async (part, work) => {
    const from = performance.now();
    const result = await work();
    timings[part] += (performance.now() - from) / 1000;
    return result;
  };
  return { timings, timed };
}
