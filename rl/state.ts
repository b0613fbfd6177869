/** What a trainer remembers from one step to the next, and how it is read back. @module */
import { described } from "../base/excerpt.ts";
import type { Algorithm, AlgorithmState, Needs } from "./algorithm.ts";
import type { SamplingState } from "./dynamic_sampling.ts";
import { readMoments, type ScoreMoments } from "./score_scaling.ts";
import { readGroups } from "./saved_groups.ts";

/** All that a trainer remembers from one step to the next; plain JSON. */
export interface TrainerState {
  /** Steps done. */
  step: number;
  /** Skipped updates in a row. */
  faults: number;
  /** What the algorithm remembers. */
  algorithm: AlgorithmState;
  /** Where dynamic sampling is: present after its first step. */
  sampling?: SamplingState;
  /** Of all scores seen, where `scoreScaling` needs it. */
  scores?: ScoreMoments;
}

/**
 * Refuses a state that a resumed run would not have: other fields than before, or no finite number.
 * @throws {TypeError} naming the algorithm and the field
 */
export function checkNext(name: string, before: AlgorithmState, next: AlgorithmState): void {
  const cannot = (rule: string) => new TypeError(`Cannot keep the state of ${name} as ${rule}`);
  for (const field of new Set([...Object.keys(before), ...Object.keys(next)])) {
    if (!Object.hasOwn(before, field) || !Object.hasOwn(next, field)) {
      const there = Object.hasOwn(next, field) ? "a new one" : "gone";
      throw cannot(`its fields must stay those of start(): ${field} is ${there}`);
    }
    if (!Number.isFinite(next[field])) {
      throw cannot(`${field} must be a finite number: it is ${next[field]}`);
    }
  }
}

/**
 * Checks a saved state, also one of an earlier version, which kept the algorithm's numbers beside `step`
 * and `faults`. A number of the algorithm's that is named like one of its settings has that setting's
 * least value too. Where dynamic sampling was switched off since, what it had kept is left out.
 * @throws {TypeError} for what is no state, or where a field is missing, not a number, or too small
 */
export function readState(
  saved: TrainerState | Readonly<Record<string, number>>,
  { names, options, needs: { groupSize, dynamicSampling }, scaled = false }: {
    /** Fields of the algorithm's state. */
    names: readonly string[];
    options: Pick<Algorithm["options"], "rows">;
    needs: Needs;
    /** True where scores are scaled. */
    scaled?: boolean;
  },
): TrainerState {
  if (typeof saved !== "object" || saved === null) {
    throw new TypeError(
      `Cannot restore the trainer as its state is what state() gave: it is ${described(saved)}`,
    );
  }
  const { step, faults, sampling, scores, ...rest } = saved as Readonly<Record<string, unknown>>;
  const given = (rest.algorithm ?? rest) as Readonly<Record<string, unknown>>;
  const whole = (name: string) => ["step", "sampling.place"].includes(name);
  const check = (name: string, value: unknown, least?: number): number => {
    const enough = typeof value === "number" && Number.isFinite(value) && value >= (least ?? value);
    if (enough && (!whole(name) || Number.isInteger(value))) return value;
    const kind = `${whole(name) ? "a whole" : "a"} number`;
    throw new TypeError(
      `Cannot restore the trainer as ${name} must be ${kind}${
        least === undefined ? "" : ` >= ${least}`
      }: it is ${value}`,
    );
  };
  const algorithm = Object.fromEntries(
    names.map((name) => [name, check(name, given[name], options.rows[name]?.min)]),
  );
  const readSampling = (): SamplingState => {
    const { place, kept } = (sampling ?? {}) as SamplingState;
    if (kept !== undefined) readGroups(kept, groupSize); // throws
    return { place: check("sampling.place", place, 0), ...(kept && { kept }) };
  };
  return {
    step: check("step", step, 0),
    faults: check("faults", faults, 0),
    algorithm,
    ...(sampling !== undefined && dynamicSampling && { sampling: readSampling() }),
    ...(scaled && { scores: readMoments(scores) }),
  };
}
