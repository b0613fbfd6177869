/** Learning rates over a run. @module */

/** How the rate goes on after warm-up. */
export type ScheduleKind = "constant" | "linear" | "cosine";

/** A schedule. */
export interface Schedule {
  readonly kind: ScheduleKind;
  /** Highest rate, reached at the end of warm-up. */
  readonly peak: number;
  /** Rate of the last step, for linear and cosine; default 0. */
  readonly final?: number;
  /** Steps of linear rise from 0 to `peak`; default 0. */
  readonly warmup?: number;
  /** Steps of the whole run, warm-up included. */
  readonly steps: number;
}

/**
 * The rate of step `step`, counted from 0. Warm-up rises so that no step is wasted at rate 0 and step
 * `warmup` has the peak; the decay would reach `final` one step after the last, as in transformers.
 * @throws {RangeError} when the schedule's numbers do not fit each other
 */
export function learningRate(schedule: Schedule, step: number): number {
  const { kind, peak, final = 0, warmup = 0, steps } = checked(schedule);
  if (step < warmup) return peak * (step + 1) / (warmup + 1);
  if (kind === "constant") return peak;
  const done = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  const left = kind === "linear" ? 1 - done : (1 + Math.cos(Math.PI * done)) / 2;
  return final + (peak - final) * left;
}

function checked(schedule: Schedule): Schedule {
  const { kind, peak, final = 0, warmup = 0, steps } = schedule;
  const rules: [boolean, string, unknown][] = [
    [["constant", "linear", "cosine"].includes(kind), "kind is constant, linear or cosine", kind],
    [peak >= 0 && peak < Infinity, "peak is finite and >= 0", peak],
    [final >= 0 && final <= peak, `final is 0 to peak ${peak}`, final],
    [Number.isSafeInteger(steps) && steps > 0, "steps is a whole number above 0", steps],
    [
      Number.isSafeInteger(warmup) && warmup >= 0 && warmup <= steps,
      `warmup is a whole number from 0 to steps ${steps}`,
      warmup,
    ],
  ];
  for (const [holds, rule, value] of rules) {
    if (!holds) {
      throw new RangeError(`Cannot schedule the learning rate as ${rule}: it is ${value}`);
    }
  }
  return schedule;
}
