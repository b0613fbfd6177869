/** Which of the measured candidates are chosen. @module */
import type { Tuning } from "../../kernels/tuning.ts";
import type { Candidate, Trial } from "./trials.ts";

/** A trial, and how long each of its candidates took. */
export interface Timed {
  readonly trial: Trial;
  readonly seconds: ReadonlyMap<Candidate, number>;
}

/** How much faster than what is built in another one must be: less is noise. */
const GAIN = 1.05;

/**
 * One name for all trials: that which takes least time, each trial's by its fastest candidate counting alike;
 * and of its shapes each trial's fastest. What is built in stays where nothing is faster by a twentieth.
 * `choices` lacks what is built in.
 */
export function choose(
  timed: readonly Timed[],
): { candidates: ReadonlySet<Candidate>; choices: Tuning } {
  const all = timed.flatMap(({ seconds }) => [...seconds.keys()]);
  const cost = (name: string): number =>
    timed.reduce((sum, { seconds }) => {
      const own = [...seconds].filter(([candidate]) => candidate.name === name);
      return sum + fastest(own) / fastest([...seconds]);
    }, 0);
  const names = [...new Set(all.map(({ name }) => name))].sort((a, b) => cost(a) - cost(b));
  const usual = all.find(({ isBuiltIn }) => isBuiltIn)?.name;
  const name = usual !== undefined && cost(usual) <= GAIN * cost(names[0]) ? usual : names[0];
  const candidates = timed.map(({ seconds }) => {
    const own = [...seconds].filter(([candidate]) => candidate.name === name)
      .sort(([, a], [, b]) => a - b);
    const builtIn = own.find(([{ isBuiltIn }]) => isBuiltIn);
    return builtIn && builtIn[1] <= GAIN * own[0][1] ? builtIn[0] : own[0][0];
  });
  const choices = candidates.filter(({ isBuiltIn }) => !isBuiltIn)
    .reduce((sum: Tuning, { tuning }) => merged(sum, tuning), {});
  return { candidates: new Set(candidates), choices };
}

const fastest = (candidates: readonly [Candidate, number][]): number =>
  Math.min(...candidates.map(([, seconds]) => seconds));

/** Both, the second where they differ. */
export function merged(a: Tuning, b: Tuning): Tuning {
  return mergedRecords(a as Fields, b as Fields) as Tuning;
}

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const mergedRecords = (a: Fields, b: Fields): Fields => ({
  ...a,
  ...Object.fromEntries(
    Object.entries(b).map(([name, value]) => {
      const old = a[name];
      return [name, isRecord(old) && isRecord(value) ? mergedRecords(old, value) : value];
    }),
  ),
});
