/** Numbers that change over a run, as pure functions of the step: nothing to save or restore. @module */

/** How a schedule decays. */
export type ScheduleKind = "constant" | "linear" | "cosine";

/** A number over the steps of a run. */
export interface Schedule {
  /** Shape of the decay from `peak` to `final`. */
  kind: ScheduleKind;
  /** Value after the warm-up. */
  peak: number;
  /** Value that "linear" and "cosine" reach at step `total`; "constant" ignores it. */
  final: number;
  /** Steps of linear growth from near 0 to `peak`; 0 for none. */
  warmup: number;
  /** Steps of the run. */
  total: number;
}

/**
 * Value at a step counted from 0. Warm-up step s gives peak * (s + 1) / (warmup + 1), so that the
 * first step is not spent on 0. After `total` the value stays `final`: the decay would reach it one step
 * after the last, as in transformers.
 * @throws {RangeError} when the schedule's numbers are not such
 */
export function scheduleAt(schedule: Schedule, step: number): number {
  const { kind, peak, final, warmup, total } = checked(schedule);
  if (step < warmup) return peak * (step + 1) / (warmup + 1);
  if (kind === "constant") return peak;
  const done = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  const left = kind === "linear" ? 1 - done : (1 + Math.cos(Math.PI * done)) / 2;
  return final + (peak - final) * left;
}

function checked(schedule: Schedule): Schedule {
  const { kind, peak, final, warmup, total } = schedule;
  const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
  const rules: [boolean, string, unknown][] = [
    [["constant", "linear", "cosine"].includes(kind), "kind is constant, linear or cosine", kind],
    [Number.isFinite(peak), "peak is finite", peak],
    [Number.isFinite(final), "final is finite", final],
    [isCount(warmup), "warmup is a whole number from 0", warmup],
    [isCount(total), "total is a whole number from 0", total],
  ];
  for (const [holds, rule, value] of rules) {
    if (!holds) throw new RangeError(`Cannot follow a schedule as ${rule}: it is ${value}`);
  }
  return schedule;
}
