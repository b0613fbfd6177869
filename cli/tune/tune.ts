/** Measures every trial on one device, and chooses. @module */
import type { Device } from "../../kernels/device.ts";
import { Scope } from "../../kernels/scope.ts";
import type { Tuning } from "../../kernels/tuning.ts";
import { Batch, type Measurement, recorded } from "../measure.ts";
import { choose, merged, type Timed } from "./choose.ts";
import type { Candidate, Group, Trial } from "./trials.ts";

/** One line of the table. */
export interface TuneRow {
  /** What is chosen for: "product NN wide". */
  readonly name: string;
  readonly size: string;
  /** The way to do it: "workgroup 64 x 64". */
  readonly way: string;
  /** Of one run; by processor time on a software adapter, which other programs disturb less. */
  readonly seconds: number;
  /** Billions of useful multiplications and additions a second. */
  readonly gflops: number;
  readonly isChosen: boolean;
  readonly isBuiltIn: boolean;
}

/** What came out. */
export interface TuneResult {
  /** Only what is otherwise than built in. */
  readonly choices: Tuning;
  readonly rows: readonly TuneRow[];
  /** Trials for which there was no time. */
  readonly skipped: readonly string[];
}

/** How it is measured. */
export interface TuneOptions {
  readonly groups: readonly Group[];
  /** Samples of each candidate, in turn. */
  readonly samples: number;
  /** Seconds that one sample should take. */
  readonly target: number;
  /** Seconds after which nothing more is measured. */
  readonly budget: number;
  /** Told before a group is measured, with the groups done and all of them. */
  report?(name: string, done: number, of: number): void;
  signal?: AbortSignal;
}

/** What was decided of trials that belong together. */
interface Decision {
  readonly timed: readonly Timed[];
  readonly candidates: ReadonlySet<Candidate>;
  readonly choices: Tuning;
}

/** The part of the budget after which nothing new is timed where something was faster: it is timed once more. */
const FIRST = 0.7;

/** Leaves the device as it was. @throws the signal's reason where it is aborted */
export async function tune(device: Device, options: TuneOptions): Promise<TuneResult> {
  const { groups, budget, report, signal } = options, { tuning } = device;
  const decisions: Decision[] = [], skipped: string[] = [], started = performance.now();
  const isAfter = (seconds: number) => (performance.now() - started) / 1000 > seconds;
  const choices = () => decisions.reduce((sum: Tuning, { choices }) => merged(sum, choices), {});
  const isLate = () => isAfter(Object.keys(choices()).length > 0 ? FIRST * budget : budget);
  try {
    for (const [done, group] of groups.entries()) {
      signal?.throwIfAborted();
      device.tuning = choices();
      const trials = group(device), { name, candidates } = trials[0];
      if (candidates.length < 2) continue; // nothing to choose
      if (!isLate()) report?.(name, done, groups.length);
      const timed = await timeTrials(device, trials, { ...options, choices: choices(), isLate });
      if (timed) decisions.push({ timed, ...choose(timed) });
      else skipped.push(name);
    }
    for (const [i, decision] of decisions.entries()) {
      const timing = { ...options, choices: choices(), isLate: () => isAfter(budget) };
      decisions[i] = await confirmed(device, decision, timing);
    }
  } finally {
    device.tuning = tuning;
  }
  const rows = decisions.flatMap(({ timed, candidates }) => rowsOf(timed, candidates));
  return { choices: choices(), rows, skipped };
}

interface Timing extends TuneOptions {
  /** What was chosen of the other groups. */
  readonly choices: Tuning;
  isLate(): boolean;
}

/**
 * The same decision where it holds when what it chose and what is built in are timed once more, some time
 * later: of many candidates one may have been fastest by chance. Else, or without time, what is built in.
 */
async function confirmed(device: Device, first: Decision, timing: Timing): Promise<Decision> {
  if (Object.keys(first.choices).length === 0) return first;
  const trials = first.timed.map(({ trial }) => ({
    ...trial,
    candidates: trial.candidates.filter((one) => one.isBuiltIn || first.candidates.has(one)),
  }));
  const again = await timeTrials(device, trials, timing);
  if (again) return { ...first, ...choose(again) };
  const usual = trials.flatMap(({ candidates }) => candidates.filter(({ isBuiltIn }) => isBuiltIn));
  return { ...first, candidates: new Set(usual), choices: {} };
}

/** Undefined where there is no time for all. */
async function timeTrials(
  device: Device,
  trials: readonly Trial[],
  timing: Timing,
): Promise<Timed[] | undefined> {
  const timed: Timed[] = [];
  for (const trial of trials) {
    const one = await timeTrial(device, trial, timing);
    if (!one) return undefined;
    timed.push(one);
  }
  return timed;
}

/** Candidates so many times as slow as the fastest are sampled no further. */
const HOPELESS = 3;

/** Times each candidate of a trial, in turn; undefined where there is no time for one of each. */
async function timeTrial(
  device: Device,
  trial: Trial,
  { choices, samples, target, isLate, signal }: Timing,
): Promise<Timed | undefined> {
  using scope = new Scope(device);
  using owned = new DisposableStack();
  const launch = trial.prepare(scope), batches = new Map<Candidate, Batch>();
  for (const candidate of trial.candidates) {
    signal?.throwIfAborted();
    if (isLate()) return undefined;
    device.tuning = merged(choices, candidate.tuning);
    const work = owned.use(recorded(device, launch));
    const batch = await Batch.prepare(device, work, { target });
    await batch.sample();
    batches.set(candidate, batch);
  }
  const secondsOf = (batch: Batch) => secondsBy(device, batch.result());
  const fastest = Math.min(...[...batches.values()].map(secondsOf));
  const hopeful = [...batches].filter(([, batch]) => secondsOf(batch) < HOPELESS * fastest);
  for (let sample = 1; sample < samples && !isLate(); sample++) {
    for (const [{ tuning }, batch] of hopeful) {
      signal?.throwIfAborted();
      device.tuning = merged(choices, tuning); // a batch of another length is recorded anew
      await batch.sample();
    }
  }
  const seconds = new Map([...batches].map(([candidate, batch]) => [candidate, secondsOf(batch)]));
  return { trial, seconds };
}

/** Of a processor that others use too its time counts; a graphics card's is wall time alone. */
const secondsBy = ({ software }: Device, { least: { wall, cpu } }: Measurement): number =>
  software ? cpu : wall;

const rowsOf = (timed: readonly Timed[], chosen: ReadonlySet<Candidate>): TuneRow[] =>
  timed.flatMap(({ trial: { name, size, flop }, seconds }) =>
    [...seconds].map(([candidate, seconds]): TuneRow => ({
      ...{ name, size, seconds, gflops: flop / seconds / 1e9 },
      way: candidate.shape ? `${candidate.name} ${candidate.shape}` : candidate.name,
      isChosen: chosen.has(candidate),
      isBuiltIn: candidate.isBuiltIn,
    }))
  );
