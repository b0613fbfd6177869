/**
 * What answers of two models to the same prompts come to, side by side, with intervals. What was drawn
 * independently is a prompt: its samples count as one mean.
 * @module
 */
import type { BootstrapOptions } from "../../base/statistics/bootstrap.ts";
import {
  differenceInterval,
  type Interval,
  jackknifeInterval,
  meanInterval,
  statisticInterval,
} from "../../base/statistics/intervals.ts";
import { differences, mean } from "../../base/statistics/moments.ts";
import { pairedT, type SignedRanks, signedRanks } from "../../base/statistics/paired.ts";
import { type Wins, winsOf } from "../../base/statistics/wins.ts";
import { distinctWithout } from "./distinct.ts";

/** One answer. */
export interface ModelAnswer {
  completion: string;
  /** The trained reward; null where nothing could score it. */
  reward: number | null;
  /** Each reward by name. */
  scores: Readonly<Record<string, number | null>>;
  /** Tokens, EOS included. */
  tokens: number;
  /** -sum log p of the completion's own tokens under the base model, nats, and how many they are. */
  nats: { sum: number; tokens: number };
}

/** The answers to one prompt: sample k of one model beside sample k of the other, as many of each. */
export interface PromptAnswers {
  id: string;
  prompt: string;
  /** "" where the task has none. */
  answer: string;
  base: readonly ModelAnswer[];
  tuned: readonly ModelAnswer[];
}

/** One figure of both models, and the second less the first, paired by prompt. */
export interface Figure {
  base: Interval;
  tuned: Interval;
  difference: Interval;
}

/** All that is told of one way to draw. */
export interface Figures {
  /** Answers of each model to each prompt. */
  samples: number;
  /** Mean of the trained reward. */
  reward: Figure;
  /** Mean of each reward, `exact` among them, over what it could score. */
  rewards: Record<string, Figure>;
  /** Share of answers whose trained reward is above 0. */
  positive: Figure;
  /** Mean length, tokens, EOS included. */
  tokens: Figure;
  /** Different words, and pairs of words, of all answers, per word (Li et al. 2016, distinct-1 and -2). */
  distinct1: Figure;
  distinct2: Figure;
  /** exp(mean nats of a completion's token) under the base model, all tokens alike. */
  perplexity: Figure;
  /** How often the second model's sample has the higher trained reward than the first's. */
  wins: Wins & { interval: Interval };
  /** Whether the mean reward of a prompt differs: by Student's t and by Wilcoxon's ranks. */
  tests: { t: ReturnType<typeof pairedT>; wilcoxon: SignedRanks };
  /** Answers that nothing could score; pairs of answers that are the same text. */
  unscored: { base: number; tuned: number };
  same: number;
}

type Value = (answer: ModelAnswer) => number | null;

/**
 * The figures of answers to one prompt at least.
 * @throws {RangeError} where a prompt has no answers, or models have not as many
 */
export function figuresOf(
  prompts: readonly PromptAnswers[],
  options: BootstrapOptions = {},
): Figures {
  const samples = samplesOf(prompts), names = Object.keys(prompts[0].base[0].scores);
  const of = (value: Value) => meanFigure(prompts, value, options);
  const reward: Value = (answer) => answer.reward;
  const { pairs, outcomes } = comparisons(prompts);
  const both = pairedMeans(prompts, reward), all = (side: Side) => prompts.flatMap((p) => p[side]);
  return {
    samples,
    reward: of(reward),
    rewards: Object.fromEntries(names.map((name) => [name, of(({ scores }) => scores[name])])),
    positive: of((answer) => answer.reward === null ? null : Number(answer.reward > 0)),
    tokens: of(({ tokens }) => tokens),
    distinct1: distinctFigure(prompts, 1, options),
    distinct2: distinctFigure(prompts, 2, options),
    perplexity: perplexityFigure(prompts, options),
    wins: { ...winsOf(pairs), interval: meanInterval(outcomes, options) },
    tests: testsOf(differences(both.tuned, both.base)),
    unscored: { base: unscored(all("base")), tuned: unscored(all("tuned")) },
    same:
      prompts.flatMap(({ base, tuned }) =>
        base.filter((answer, k) => answer.completion === tuned[k].completion)
      ).length,
  };
}

type Side = "base" | "tuned";

function samplesOf(prompts: readonly PromptAnswers[]): number {
  const samples = prompts[0]?.base.length ?? 0;
  const odd = prompts.find(({ base, tuned }) =>
    base.length !== samples || tuned.length !== samples
  );
  if (samples > 0 && !odd) return samples;
  const found = odd ? `${odd.base.length} and ${odd.tuned.length} to ${odd.id}` : "there are none";
  throw new RangeError(
    `Cannot compare answers as every prompt needs as many of both models: ${found}`,
  );
}

const testsOf = (difference: readonly number[]): Figures["tests"] => ({
  t: pairedT(difference),
  wilcoxon: signedRanks(difference),
});

const unscored = (answers: readonly ModelAnswer[]): number =>
  answers.filter(({ reward }) => reward === null).length;

/** Mean of what a prompt's answers have of `value`; undefined where none has any. */
function promptMean(answers: readonly ModelAnswer[], value: Value): number | undefined {
  const known = answers.map(value).filter((one) => one !== null);
  return known.length === 0 ? undefined : mean(known);
}

const isKnown = (value: number | undefined): value is number => value !== undefined;

/** Means of the prompts that have one of both models. */
function pairedMeans(prompts: readonly PromptAnswers[], value: Value): Record<Side, number[]> {
  const both = prompts.flatMap((one) => {
    const base = promptMean(one.base, value), tuned = promptMean(one.tuned, value);
    return isKnown(base) && isKnown(tuned) ? [{ base, tuned }] : [];
  });
  return { base: both.map(({ base }) => base), tuned: both.map(({ tuned }) => tuned) };
}

function meanFigure(
  prompts: readonly PromptAnswers[],
  value: Value,
  options: BootstrapOptions,
): Figure {
  const of = (side: Side) =>
    meanInterval(prompts.map((one) => promptMean(one[side], value)).filter(isKnown), options);
  const both = pairedMeans(prompts, value);
  return {
    ...{ base: of("base"), tuned: of("tuned") },
    difference: differenceInterval(both.tuned, both.base, options),
  };
}

/** Differences of the trained reward of pairs that are scored, and each prompt's mean of 1, 1/2 and 0. */
function comparisons(
  prompts: readonly PromptAnswers[],
): { pairs: number[]; outcomes: number[] } {
  const each = prompts.map(({ base, tuned }) =>
    base.flatMap(({ reward }, k) => {
      const other = tuned[k].reward;
      return reward === null || other === null ? [] : [other - reward];
    })
  );
  const outcomes = each.filter((pairs) => pairs.length > 0).map((pairs) => winsOf(pairs).rate);
  return { pairs: each.flat(), outcomes };
}

/** Sums over all tokens, so that a long answer counts for as many as it has. */
function perplexityFigure(prompts: readonly PromptAnswers[], options: BootstrapOptions): Figure {
  const sums = (side: Side) =>
    prompts.map((one) => ({
      nats: one[side].reduce((sum, { nats }) => sum + nats.sum, 0),
      tokens: one[side].reduce((sum, { nats }) => sum + nats.tokens, 0),
    }));
  const each = { base: sums("base"), tuned: sums("tuned") };
  const of = (side: Side) => (rows: ArrayLike<number>) => {
    let nats = 0, tokens = 0;
    for (let i = 0; i < rows.length; i++) {
      nats += each[side][rows[i]].nats;
      tokens += each[side][rows[i]].tokens;
    }
    return Math.exp(nats / tokens);
  };
  const [base, tuned] = [of("base"), of("tuned")], n = prompts.length;
  return {
    base: statisticInterval(n, base, options),
    tuned: statisticInterval(n, tuned, options),
    difference: statisticInterval(n, (rows) => tuned(rows) - base(rows), options),
  };
}

function distinctFigure(
  prompts: readonly PromptAnswers[],
  size: number,
  options: BootstrapOptions,
): Figure {
  const of = (side: Side) =>
    distinctWithout(prompts.map((one) => one[side].map(({ completion }) => completion)), size);
  const base = of("base"), tuned = of("tuned");
  const interval = (whole: number, left: readonly number[], least: number) =>
    cut(jackknifeInterval(whole, left, options), least);
  return {
    base: interval(base.whole, base.left, 0),
    tuned: interval(tuned.whole, tuned.left, 0),
    difference: interval(tuned.whole - base.whole, differences(tuned.left, base.left), -1),
  };
}

/** Cut to what a share, or a difference of two, can be. */
const cut = ({ low, high, ...rest }: Interval, least: number): Interval => ({
  ...rest,
  low: Math.max(least, low),
  high: Math.min(1, high),
});
