/** The figures of a comparison: each for every seed, with the mean and where it may lie. @module */
import { type Interval, seedInterval } from "../../base/statistics/intervals.ts";
import { mean } from "../../base/statistics/moments.ts";
import { columnOf } from "../../experiment/columns.ts";
import type { SplitResult } from "../../experiment/observer.ts";
import type { Compared, Group } from "./groups.ts";

/** One figure of a group. */
export interface Figure {
  /** As the CSV has it. */
  name: string;
  /** As the page has it. */
  title: string;
  /** What it is, with its unit. */
  doc: string;
  /** Whether it lies within 0 to 1: so do the ends that are shown. */
  isShare?: boolean;
  /** One a run, NaN where it has none. */
  values: readonly number[];
  /** Mean over seeds with its 95 % interval; NaN ends of one seed. */
  over: Interval;
}

type Told = Pick<Figure, "name" | "title" | "doc" | "isShare"> & { of(run: Compared): number };

const MOST = 20; // steps of a window, as the published study has them

/** Steps of the windows at both ends: a fifth of the run, at least one. */
export const windowOf = (steps: number): number =>
  Math.min(MOST, Math.max(1, Math.floor(steps / 5)));

/** What a group came to; figures that none of its runs has are left out. */
export function figuresOf({ runs }: Pick<Group, "runs">): Figure[] {
  const rewards = [...new Set(runs.flatMap(({ config }) => config.rewards))];
  const told = [
    ...heldout(runs),
    ...course("score/mean", "reward", "reward"),
    ...rewards.length > 1
      ? rewards.flatMap((name) => course(`rewards/${name}/mean`, `reward_${name}`, name))
      : [],
    ...course("rewards/exact/mean", "sampled_exact", "exact, sampled").slice(3),
    ...REST,
  ];
  return told.map(({ of, ...words }) => {
    const values = runs.map(of);
    return { ...words, values, over: overSeeds(values.filter(Number.isFinite)) };
  }).filter(({ values }) => values.some(Number.isFinite));
}

/** Where all seeds agree, so do mean and ends to the last digit. */
function overSeeds(values: readonly number[]): Interval {
  const over = seedInterval(values), [value] = values;
  const agree = over.n > 1 && values.every((one) => one === value);
  return agree ? { ...over, mean: value, low: value, high: value } : over;
}

/** Greedy answers to held-out prompts, before, after, and what was gained. */
function heldout(runs: readonly Compared[]): Told[] {
  const measures = [...new Set(runs.map(({ summary }) => summary?.measure))];
  const own = measures.length === 1 ? measures[0] : undefined;
  const kinds: [name: string, title: string, of: (result: SplitResult) => number][] = [
    ["exact", "exact", ({ exact }) => exact],
    ["reward", "reward", ({ reward }) => reward],
  ];
  if (own !== undefined) kinds.unshift(["measure", own, ({ measure = NaN }) => measure]);
  return kinds.flatMap(([name, title, of]): Told[] => {
    const doc = `${title} of greedy answers to held-out prompts, mean`;
    const isShare = name === "exact";
    const at = (when: "before" | "after") => ({ summary }: Compared) =>
      summary ? of(summary.heldout[when]) : NaN;
    return [
      {
        name: `heldout_${name}_before`,
        title: `held-out ${title} before`,
        doc,
        isShare,
        of: at("before"),
      },
      { name: `heldout_${name}`, title: `held-out ${title}`, doc, isShare, of: at("after") },
    ];
  });
}

/** A metric at both ends of a run. */
function course(metric: string, name: string, title: string): Told[] {
  const values = (run: Compared) => columnOf(run, metric) ?? [];
  const first = (run: Compared) => values(run).at(0) ?? NaN;
  const last = (run: Compared) => values(run).at(-1) ?? NaN;
  const window = (run: Compared) => windowOf(run.metrics.length);
  const early = (run: Compared) => mean(finite(values(run).slice(0, window(run))));
  const late = (run: Compared) => mean(finite(values(run).slice(-window(run))));
  return [
    {
      name: `${name}_first`,
      title: `${title}, first`,
      doc: `${metric} of the first step`,
      of: first,
    },
    { name: `${name}_last`, title: `${title}, last`, doc: `${metric} of the last step`, of: last },
    {
      name: `${name}_change`,
      title: `${title}, change`,
      doc: "the last step's less the first one's",
      of: (run) => last(run) - first(run),
    },
    {
      name: `${name}_early`,
      title: `${title}, early`,
      doc: `mean of ${metric} over the first fifth of the steps, ${MOST} at most`,
      of: early,
    },
    {
      name: `${name}_late`,
      title: `${title}, late`,
      doc: `mean of ${metric} over the last fifth of the steps, ${MOST} at most`,
      of: late,
    },
    {
      name: `${name}_gain`,
      title: `${title}, gain`,
      doc: "late less early",
      of: (run) => late(run) - early(run),
    },
  ];
}

const finite = (values: readonly number[]): number[] => values.filter(Number.isFinite);
const sum = (values: readonly number[] | undefined): number =>
  values === undefined ? NaN : finite(values).reduce((a, b) => a + b, 0);

const REST: readonly Told[] = [
  {
    name: "kl",
    title: "KL, last",
    doc: "KL to the reference in the last step, nats per completion",
    of: (run) => columnOf(run, "kl/reference")?.at(-1) ?? NaN,
  },
  {
    name: "silent_groups",
    isShare: true,
    title: "silent groups",
    doc: "share of groups without signal, whose scores are all equal, 0 to 1, mean over steps",
    of: (run) => mean(finite(columnOf(run, "groups/equal_share") ?? [])),
  },
  {
    name: "unscored",
    title: "unscored",
    doc: "completions that no reward could score, of the whole run",
    of: (run) => sum(columnOf(run, "rewards/null_count")),
  },
  {
    name: "fallbacks",
    title: "fallbacks",
    doc: "times that a reward's server or network gave no score, of the whole run",
    of: (run) => {
      const names = run.names.filter((name) => /^rewards\/.*\/fallbacks$/.test(name));
      return names.length === 0
        ? NaN
        : names.reduce((all, name) => all + sum(columnOf(run, name)), 0);
    },
  },
  {
    name: "skipped",
    title: "skipped updates",
    doc: "updates that were skipped, of the whole run",
    of: (run) => sum(columnOf(run, "optimizer/skipped_updates")),
  },
];

/** `0.912 (0.85 to 0.97)`; the mean alone of one seed, and where all seeds agree. */
export function figureText({ over, isShare }: Figure, tell: (x: number) => string): string {
  const { mean, low, high } = over;
  const ends = isShare ? [Math.max(0, low), Math.min(1, high)] : [low, high];
  return hasWidth(over) ? `${tell(mean)} (${ends.map(tell).join(" to ")})` : tell(mean);
}

/** The same, shorter: `0.912 ± 0.061`. */
export function figureShort({ over }: Figure, tell: (x: number) => string): string {
  const { mean, high } = over;
  return hasWidth(over) ? `${tell(mean)} ± ${tell(high - mean)}` : tell(mean);
}

const hasWidth = ({ low, high }: Interval): boolean => Number.isFinite(high - low) && high > low;
