/** The same work on two sides: equal results first, then times of runs in turn. @module */
import { median } from "../_measure.ts";

/** What both sides do. */
export type Work =
  & {
    /** As tables call it. */
    readonly name: string;
    /** Folder of the weights, in transformers' form; both load it. */
    readonly folder: string;
  }
  & ({
    readonly open: "training";
    /** Sequences of T + 1 tokens each: T inputs, and as many targets. */
    readonly batch: number[][];
    readonly learningRate: number;
  } | {
    readonly open: "decoding";
    /** Prompts of one length. */
    readonly prompts: number[][];
    /** Decode steps after the token that prefill gives. */
    readonly tokens: number;
  });

/** What `count` runs gave. */
export interface Result {
  /** Of one run, by phase: wall time, and processor time of all threads. */
  readonly seconds: Readonly<Record<string, readonly [wall: number, cpu: number]>>;
  /** Mean loss of each step before its update, nats. */
  readonly losses?: readonly number[];
  /** Greedy completions, equal for equal weights. */
  readonly responses?: readonly (readonly number[])[];
}

/** Work that is open on one side. */
export interface Session extends Disposable {
  run(count: number): Promise<Result>;
}

/** One of those that are compared. */
export interface Side {
  /** Program and versions. */
  readonly name: string;
  open(work: Work): Promise<Session>;
}

/** One phase of some work on both sides. */
export interface Comparison {
  readonly work: string;
  /** Median seconds of a run: wall time and processor time. */
  readonly ours: readonly [wall: number, cpu: number];
  readonly theirs: readonly [wall: number, cpu: number];
  /** What was equal, and how close. */
  readonly equal: string;
}

/** Largest difference of two losses, over the larger: f32 sums of another order. */
const LOSS_TOLERANCE = 1e-4;
/** What one sample should last, in seconds: above the jitter of a wait, short enough to take turns. */
const SAMPLE = 0.2;

/**
 * Both sides do two runs whose losses or tokens must be equal, then `samples` samples in turn, each side
 * first every other time.
 * @throws {Error} when results differ: times of different work say nothing
 */
export async function compare(
  work: Work,
  sides: { ours: Side; theirs: Side },
  { samples = 5 }: { samples?: number } = {},
): Promise<Comparison[]> {
  using ours = await sides.ours.open(work);
  using theirs = await sides.theirs.open(work);
  const all = { ours: [] as Result[], theirs: [] as Result[] };
  let equal = "", slowest = 0;
  for (let i = 0; i < 2; i++) { // compiles and warms up as well
    const [own, other] = [await ours.run(1), await theirs.run(1)];
    equal = checkEqual(work.name, own, other);
    slowest = Math.max(...[own, other].flatMap(({ seconds: { step } }) => step?.[0] ?? []));
  }
  const count = work.open === "decoding"
    ? 1
    : Math.min(8, Math.max(1, Math.round(SAMPLE / slowest)));
  for (let i = 0; i < samples; i++) {
    const turn = [["ours", ours], ["theirs", theirs]] as const;
    for (const [side, session] of i % 2 ? turn.toReversed() : turn) {
      all[side].push(await session.run(count));
    }
  }
  const middle = (results: Result[], phase: string) =>
    [0, 1].map((which) => median(results.map(({ seconds }) => seconds[phase][which]))) as [
      number,
      number,
    ];
  return Object.keys(all.ours[0].seconds).map((phase) => ({
    work: phase === "step" ? work.name : `${phase}, ${work.name}`,
    ours: middle(all.ours, phase),
    theirs: middle(all.theirs, phase),
    equal,
  }));
}

/** How equal two results are, in words. @throws {Error} when they are not */
export function checkEqual(name: string, ours: Result, theirs: Result): string {
  if (ours.responses) {
    const of = ({ responses }: Result) => JSON.stringify(responses);
    if (of(ours) === of(theirs)) return "tokens";
    throw new Error(
      `Cannot compare ${name} as both sides must draw the same greedy tokens: ` +
        `here ${of(ours).slice(0, 80)}, there ${of(theirs)?.slice(0, 80)}`,
    );
  }
  const [own = NaN] = ours.losses ?? [], [other = NaN] = theirs.losses ?? [];
  const difference = Math.abs(own - other) / Math.max(own, other);
  if (difference <= LOSS_TOLERANCE) return `loss, ${difference.toExponential(0)}`;
  throw new Error(
    `Cannot compare ${name} as both losses must agree within ${LOSS_TOLERANCE}: ` +
      `here ${own}, there ${other}`,
  );
}
