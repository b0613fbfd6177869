/**
 * Page 18: how a writer of one habit is pushed to stop. After each word it stops with one probability, and
 * each word spoils the answer with another; an answer is right where no word spoiled it. So the gradient
 * of the expected reward is known exactly, and each convention of GRPO can be compared with it.
 * @module
 */
import { philox } from "../../base/random.ts";
import { alignResponses } from "../../rl/batch.ts";
import { groupAdvantages } from "../../rl/group.ts";
import { normaliserWeights } from "../../rl/loss/normalise.ts";
import { barChart, type Figure } from "./_svg.ts";

/** The habit. */
export interface Writer {
  /** Chance to stop after a word; an answer has 32 words at most. */
  stops: number;
  /** Chance of a word to spoil the answer. */
  spoils: number;
}

const LONGEST = 32, G = 8;

/** What two conventions of one algorithm differ in, and what they are called. */
export const CONVENTIONS = {
  grpo: { advantageScale: "sample", lossNormaliser: "sequences" },
  "dr-grpo": { advantageScale: "none", lossNormaliser: "constant" },
  "grpo without its deviation": { advantageScale: "none", lossNormaliser: "sequences" },
} as const;

/** Expected reward of a writer. */
function expectedReward({ stops, spoils }: Writer): number {
  let sum = 0, goesOn = 1;
  for (let words = 1; words <= LONGEST; words++) {
    sum += goesOn * (words === LONGEST ? 1 : stops) * (1 - spoils) ** words;
    goesOn *= 1 - stops;
  }
  return sum;
}

/** Derivative of the expected reward by the logit of stopping, by central differences. */
function trueGradient({ stops, spoils }: Writer): number {
  const at = (move: number) => 1 / (1 + Math.exp(-Math.log(stops / (1 - stops)) - move));
  const h = 1e-5, value = (move: number) => expectedReward({ stops: at(move), spoils });
  return (value(h) - value(-h)) / (2 * h);
}

/** Mean push on that logit, of many groups of eight answers, by a convention. */
export function push(
  { stops, spoils }: Writer,
  { advantageScale, lossNormaliser }: typeof CONVENTIONS[keyof typeof CONVENTIONS],
  groups = 1000,
): number {
  let drawn = 0, sum = 0;
  const chance = () => philox([drawn++, 0, 0, 0], [5, 0])[0] / 2 ** 32;
  const answer = () => {
    let words = 0, right = true, stopped = false;
    while (!stopped && words < LONGEST) {
      words++;
      if (chance() < spoils) right = false;
      stopped = chance() < stops;
    }
    return { words, stopped, score: right ? 1 : 0 };
  };
  for (let g = 0; g < groups; g++) {
    const group = Array.from({ length: G }, answer), rows = group.map((_, i) => i);
    const { advantage } = groupAdvantages(group.map(({ score }) => score), rows.map(() => true), {
      ...{ groupSize: G, baseline: "mean", advantageEpsilon: 1e-4, advantageScale },
    });
    const grid = alignResponses(group.map(({ words }) => Array(words)));
    const normaliser = { lossNormaliser, countMasked: false };
    const weight = normaliserWeights(grid, normaliser, { rows, longest: LONGEST });
    group.forEach(({ words, stopped }, i) => {
      // d log p / d logit is 1 - stops where it stopped, -stops where it went on.
      const ways = words * -stops + (stopped ? 1 : 0);
      sum += weight[i * grid.T] * advantage[i] * ways;
    });
  }
  return sum / groups;
}

/** The push over the true gradient, times what makes it 1 for Dr. GRPO: its constant, and 8 / 7. */
export function share(writer: Writer, name: keyof typeof CONVENTIONS, groups?: number): number {
  const constant = CONVENTIONS[name].lossNormaliser === "constant" ? LONGEST : 1;
  return push(writer, CONVENTIONS[name], groups) * constant * G / (G - 1) / trueGradient(writer);
}

const WRITERS: readonly [name: string, writer: Writer][] = [
  ["2 words, 82 % right", { stops: 0.5, spoils: 0.1 }],
  ["2 words, 43 % right", { stops: 0.5, spoils: 0.4 }],
  ["16 words, 31 % right", { stops: 0.05, spoils: 0.1 }],
  ["16 words, 74 % right", { stops: 0.05, spoils: 0.02 }],
];

const names = Object.keys(CONVENTIONS) as (keyof typeof CONVENTIONS)[];

export const figures: readonly Figure[] = [{
  file: "18-push.svg",
  draw: () =>
    barChart({
      title: "The push towards stopping, over the true gradient",
      desc:
        "Dr. GRPO's is 1 for all four writers. GRPO's is about 1 for short answers and a half for long ones; " +
        "without the deviation it is 0.4 for short answers and 0.2 for long ones.",
      width: 660,
      heading: "Push on the logit of stopping / true gradient",
      y: { label: "", range: [0, 1.2] },
      bars: names,
      groups: WRITERS.map(([name, writer]) => ({
        name,
        values: names.map((convention) => share(writer, convention)),
      })),
      show: (x) => x.toFixed(2),
    }),
}];
