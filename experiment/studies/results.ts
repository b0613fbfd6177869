/** What the runs of a study came to, by arm and seed, and sentences about them. @module */
import { type Interval, seedInterval } from "../../base/statistics/intervals.ts";
import { differences } from "../../base/statistics/moments.ts";
import { counted, decimals } from "../../base/units.ts";
import type { RunData } from "../folder/run_data.ts";
import type { Measure } from "./measures.ts";

/** A finished run of an arm. */
export interface ArmRun {
  arm: string;
  seed: number;
  run: RunData;
}

/** How two arms differ by a measure, over the seeds that both have. */
export interface Difference extends Interval {
  /** "none": the interval holds 0, or there is none. */
  verdict: "higher" | "lower" | "none";
}

/** The results of a study; runs that did not finish are not among them. */
export class Results {
  constructor(readonly runs: readonly ArmRun[]) {}

  /** Values by seed, in the order of the runs; NaN ones are left out. */
  values(arm: string, measure: Measure): { seed: number; value: number }[] {
    return this.runs.filter((one) => one.arm === arm)
      .map(({ seed, run }) => ({ seed, value: measure.of(run) }))
      .filter(({ value }) => !Number.isNaN(value));
  }

  /** Of one run; NaN where it did not finish, or has none. */
  value(arm: string, seed: number, measure: Measure): number {
    return this.values(arm, measure).find((one) => one.seed === seed)?.value ?? NaN;
  }

  /** Mean over seeds with its 95 % interval. */
  interval(arm: string, measure: Measure): Interval {
    return seedInterval(this.values(arm, measure).map(({ value }) => value));
  }

  /** a - b, seed by seed: two runs of one seed see the same prompts in the same order. */
  difference(a: string, b: string, measure: Measure): Difference {
    const others = new Map(this.values(b, measure).map(({ seed, value }) => [seed, value]));
    const pairs = this.values(a, measure).filter(({ seed }) => others.has(seed));
    const apart = differences(
      pairs.map(({ value }) => value),
      pairs.map(({ seed }) => others.get(seed)!),
    );
    const found = seedInterval(apart);
    const verdict = found.low > 0 ? "higher" : found.high < 0 ? "lower" : "none";
    return { ...found, verdict };
  }

  /** `0.91 (0.85 to 0.97)`; "-" where there is no value. */
  said(arm: string, measure: Measure, digits = 3): string {
    return intervalWords(this.interval(arm, measure), digits);
  }

  /** `A and B: exact after 0.91 (…) and 0.83 (…), a difference of 0.08 (…): …`, or why there is none. */
  compared(a: string, b: string, measure: Measure): string {
    const apart = this.difference(a, b, measure);
    if (apart.n === 0) return `${a} and ${b}: nothing to compare, as ${this.#lack(a, b, measure)}.`;
    const end = {
      higher: `${a} is higher`,
      lower: `${b} is higher`,
      none: `${counted(apart.n, "seed")} do${apart.n === 1 ? "es" : ""} not tell them apart`,
    }[apart.verdict];
    const each = `${this.said(a, measure)} and ${this.said(b, measure)}`;
    return `${a} and ${b}: ${measure.name} ${each}, a difference of ${
      intervalWords(apart)
    }: ${end}.`;
  }

  /** Why no seed has the measure in both arms. */
  #lack(a: string, b: string, measure: Measure): string {
    const all = [a, b];
    const idle = all.filter((arm) => !this.runs.some((one) => one.arm === arm));
    if (idle.length > 0) return `no run of ${idle.join(" and none of ")} has finished`;
    const blank = all.filter((arm) => this.values(arm, measure).length === 0);
    if (blank.length > 0) return `no run of ${blank.join(" and none of ")} has ${measure.name}`;
    return "no seed has finished in both";
  }
}

/** `0.910 (0.850 to 0.970)`, the mean alone where there is none or a point, "-" where there is no mean. */
export function intervalWords({ mean, low, high }: Interval, digits = 3): string {
  if (Number.isNaN(mean)) return "-";
  const said = (x: number) => decimals(x, digits);
  // Where all seeds agree the interval is a point, which says nothing of the next seed.
  const isPoint = Number.isNaN(low) || said(low) === said(high);
  return isPoint ? said(mean) : `${said(mean)} (${said(low)} to ${said(high)})`;
}
