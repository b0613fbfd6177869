/** Numbers that change over a run, as pure functions of the step: nothing to save or restore. @module */

/** Shape of the way from `peak` to `final`. */
export type ScheduleKind = "constant" | "linear" | "cosine";

/** A number over the steps of a run. */
export interface Schedule {
  /** Shape of the way. */
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
 * first step is not spent on 0. After `total` the value stays `final`.
 */
export function scheduleAt({ kind, peak, final, warmup, total }: Schedule, step: number): number {
  if (step < warmup) return peak * (step + 1) / (warmup + 1);
  if (kind === "constant") return peak;
  const done = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  const left = kind === "linear" ? 1 - done : (1 + Math.cos(Math.PI * done)) / 2;
  return final + (peak - final) * left;
}
