/** What a study measures of a finished run, one number each. @module */
import { mean } from "../../base/statistics/moments.ts";
import { finiteColumn } from "../columns.ts";
import type { RunData } from "../folder/run_data.ts";
import type { SplitResult } from "../observer.ts";

/** A number of a run. */
export interface Measure {
  /** The head of its column. */
  name: string;
  /** What it is, a sentence. */
  doc: string;
  /** NaN where the run has none. */
  of(run: RunData): number;
}

const heldout = (run: RunData, when: "before" | "after", of: (result: SplitResult) => number) =>
  run.summary ? of(run.summary.heldout[when]) : NaN;
const exactIn = ({ exact }: SplitResult): number => exact;
const rewardIn = ({ reward }: SplitResult): number => reward;

export const exactBefore: Measure = {
  name: "exact before",
  doc: "Share of held-out prompts that the untrained model answers exactly, greedily.",
  of: (run) => heldout(run, "before", exactIn),
};
export const exactAfter: Measure = {
  name: "exact after",
  doc: "Share of held-out prompts that are answered exactly after training, greedily.",
  of: (run) => heldout(run, "after", exactIn),
};
export const rewardBefore: Measure = {
  name: "reward before",
  doc: "Mean reward of greedy answers to held-out prompts before training.",
  of: (run) => heldout(run, "before", rewardIn),
};
export const rewardAfter: Measure = {
  name: "reward after",
  doc: "Mean reward of greedy answers to held-out prompts after training.",
  of: (run) => heldout(run, "after", rewardIn),
};
export const measureAfter: Measure = {
  name: "task's measure after",
  doc: "Mean of the task's own measure, greedy held-out answers after training.",
  of: (run) => heldout(run, "after", ({ measure }) => measure ?? NaN),
};

/** What the best player that learns nothing earns; NaN where none played. */
export const bestPlayer: Measure = {
  name: "best that learns nothing",
  doc: "Mean reward on held-out prompts of the best player that learns nothing.",
  of: ({ summary }) => {
    const { copy, constant, nothing } = summary?.players ?? {};
    const earned = [copy, constant, nothing].flatMap((one) => one ? [one.reward] : []);
    return earned.length > 0 ? Math.max(...earned) : NaN;
  },
};

const WINDOW = 20;
/** The mean of a metric over the first steps, or the last ones. */
const window = (name: string, end: "first" | "last"): (run: RunData) => number => (run) => {
  const values = finiteColumn(run, name);
  return mean(end === "first" ? values.slice(0, WINDOW) : values.slice(-WINDOW));
};

export const firstScore: Measure = {
  name: `score, first ${WINDOW}`,
  doc: `Mean score of rollouts over the first ${WINDOW} steps.`,
  of: window("score/mean", "first"),
};
export const lastScore: Measure = {
  name: `score, last ${WINDOW}`,
  doc: `Mean score of rollouts over the last ${WINDOW} steps.`,
  of: window("score/mean", "last"),
};
export const lastKl: Measure = {
  name: "last KL",
  doc: "KL to the reference in the last rollout, nats per sequence.",
  of: (run) => finiteColumn(run, "kl/reference").at(-1) ?? NaN,
};
export const equalGroups: Measure = {
  name: "groups without signal",
  doc: "Share of the groups whose scores are all equal, mean over all steps.",
  of: (run) => mean(finiteColumn(run, "groups/equal_share")),
};

/**
 * How much the score jumps from step to step beside how far it goes: mean |difference| of two steps in a row,
 * over the range of its mean over 5 steps; 0 is a straight climb.
 */
export const roughness: Measure = {
  name: "roughness",
  doc: "Mean jump of the score from step to step, over the range of its mean of 5 steps.",
  of: (run) => {
    const values = finiteColumn(run, "score/mean"), smooth = movingMeans(values, 5);
    const range = Math.max(...smooth) - Math.min(...smooth);
    const jumps = values.slice(1).map((value, i) => Math.abs(value - values[i]));
    return range > 0 ? mean(jumps) / range : NaN;
  },
};

/** The deepest fall of the score's mean of 5 steps below the highest that it had before; 0 where it never fell. */
export const deepestFall: Measure = {
  name: "deepest fall",
  doc: "Deepest fall of the score's mean of 5 steps below what it had reached.",
  of: (run) => {
    let highest = -Infinity, fall = 0;
    for (const value of movingMeans(finiteColumn(run, "score/mean"), 5)) {
      highest = Math.max(highest, value);
      fall = Math.max(fall, highest - value);
    }
    return highest === -Infinity ? NaN : fall;
  },
};

/** Means of `width` values in a row; one of all where there are fewer. */
export function movingMeans(values: readonly number[], width: number): number[] {
  if (values.length === 0) return [];
  const span = Math.min(width, values.length);
  return Array.from(
    { length: values.length - span + 1 },
    (_, i) => mean(values.slice(i, i + span)),
  );
}

/** Completions, or their share, that a reward could not score by itself, over the whole run. */
export const fallbacks: Measure = {
  name: "fallbacks",
  doc: "Scores that a reward had to make up or leave out, in the whole run.",
  of: (run) =>
    run.names.filter((name) => /\/(?:fallbacks|unscored)$/.test(name)).concat("rewards/null_count")
      .flatMap((name) => finiteColumn(run, name)).reduce((sum, value) => sum + value, 0),
};
