/** Mistakes of published systems, each switched on alone beside the right form. @module */
import { mean } from "../../base/statistics/moments.ts";
import { finiteColumn } from "../columns.ts";
import { exactAfter, lastKl, lastScore, type Measure, rewardAfter } from "./measures.ts";
import type { Results } from "./results.ts";
import type { Study, StudyArm } from "./study.ts";

const firstOf = (name: string, metric: string, doc: string): Measure => ({
  name,
  doc,
  of: (run) => finiteColumn(run, metric)[0] ?? NaN,
});

export const firstGap: Measure = firstOf(
  "sampler's gap",
  "sampling/logp_difference_max",
  "Largest gap between the sampler's log-probability of a token and the training pass's, first step, nats.",
);
export const firstRatio: Measure = firstOf(
  "first ratio",
  "policy/ratio",
  "Mean ratio of new to old probability in the first step.",
);
export const lastFinished: Measure = {
  name: "ended, last 10",
  doc: "Share of completions that end by themselves, mean of the last 10 steps.",
  of: (run) => mean(finiteColumn(run, "tokens/finished_share").slice(-10)),
};
export const longest: Measure = {
  name: "longest mean",
  doc:
    "Largest mean length of the responses of a step, tokens; what was drawn is at most maxNewTokens.",
  of: (run) => {
    const lengths = finiteColumn(run, "tokens/responses_len_mean");
    return lengths.length === 0 ? NaN : Math.max(...lengths);
  },
};
export const leastKl: Measure = {
  name: "least KL",
  doc: "Least KL estimate of a step, nats per sequence; far below 0 it is no KL.",
  of: (run) => {
    const values = finiteColumn(run, "kl/reference");
    return values.length === 0 ? NaN : Math.min(...values);
  },
};
/** 0 where two trained rewards have one column. */
export const rewardsApart: Measure = {
  name: "rewards apart",
  doc: "Largest gap between the means of the first and the last trained reward in a step.",
  of(run) {
    const trained = Object.entries(run.config.weights ?? {}).filter(([, weight]) => weight !== 0);
    if (trained.length < 2) return NaN;
    const [first, last] = [trained[0], trained[trained.length - 1]]
      .map(([name]) => finiteColumn(run, `rewards/${name}/mean`));
    const gaps = first.map((value, i) => Math.abs(value - last[i]));
    return gaps.length === 0 ? NaN : Math.max(...gaps);
  },
};

const colors = (name: string, fault = "none"): StudyArm => ({
  name,
  request: {
    task: "colors",
    algorithm: "ppo",
    reward: "semantic,format",
    steps: 40,
    settings: { fault },
  },
});
/** As a notebook had it, but for what differs between the arms. */
const grpo = (
  name: string,
  request: Pick<StudyArm["request"], "task" | "reward" | "settings">,
): StudyArm => ({
  name,
  request: {
    ...{ ...request, algorithm: "grpo", steps: 30 },
    settings: {
      ...{ groupSize: 4, epochs: 1, lossNormaliser: "sequence-sums", klCoefficient: 0.1 },
      ...{ klEstimator: "k1", klGradient: "k1", fault: "none", ...request.settings },
    },
  },
});
const ANALOGIES = { task: "analogies", reward: "first_word" };
/** Their prompts differ in length, 22 to 40 tokens; those of analogies hardly do. */
const PROBLEMS = { task: "math", reward: "numeric_hard", settings: { level: 1, batchSize: 32 } };

const [PPO, UNSHIFTED, END, LATE] = ["PPO", "unshifted", "end as padding", "late binding"];
const [K3, K1] = ["GRPO with k3", "k1 as a loss"];
const [WHOLE, SLICE] = ["problems", "problems, left padding"];

/** The study. */
export const faults: Study = {
  name: "faults",
  title: "Mistakes of published systems",
  question: "What does each mistake cost, and by which number would one notice it?",
  method: [
    "PPO mixes two colours, for the reward by word vectors beside that for tags: as it is; with log-probabilities " +
    "of tokens taken after them; with ends masked as padding; and with both rewards calling the last one.",
    "GRPO completes analogies as a notebook had it, one update a rollout, losses summed over sequences, with KL's " +
    "gradient by k3, and by k1, which is differentiated as it stands. The same on problems, by k1, as it is and " +
    "with a slice that begins inside the prompt wherever another prompt of the step is longer.",
    "Each is switched on by a setting (fault, klGradient) and nothing else differs. A fault that costs nothing " +
    "here may cost much elsewhere: what is told is what these runs show.",
  ],
  arms: [
    colors(PPO),
    colors(UNSHIFTED, "unshifted"),
    colors(END, "end-as-padding"),
    colors(LATE, "late-binding"),
    grpo(K3, { ...ANALOGIES, settings: { klGradient: "k3" } }),
    grpo(K1, ANALOGIES),
    grpo(WHOLE, PROBLEMS),
    grpo(SLICE, { ...PROBLEMS, settings: { ...PROBLEMS.settings, fault: "left-padding" } }),
  ],
  seeds: [1, 2, 3],
  quick: { steps: 2, settings: { batchSize: 8 } },
  claims: [
    {
      said: "Ten steps of PPO raised the mean sentiment of 500 test reviews from 0.27 to 0.42.",
      source: "a PPO system for GPT-2 on IMDB reviews with a sentiment classifier",
      fault:
        "Logits were asked for the token that they had read, not for the next one; and its mask of what is " +
        "not padding, counted from the left, took an end for padding.",
    },
    {
      said:
        "A reward by embeddings is learned more steadily than a binary one, in 100,000 episodes of five tasks.",
      source: "Plashchinsky 2025, arXiv 2512.06920",
      fault:
        "Its code tells padding by the id of end-of-text, so that a real end is not in the loss.",
    },
    {
      said: "Perplexity as a reward gives 0 on dialogue in all of 100 steps.",
      source: "the LossFunk assignment's report",
      fault: "Both slots were the reward for tags, which a reply has none of.",
    },
    {
      said:
        "GRPO with a KL of 0.1 raised greedy answers from 0.15 to 0.80; its loss jumps to -174.",
      source: "a GRPO notebook for gpt-neo-125M on word analogies",
      fault:
        "Its slice began inside shorter prompts, and k1 was differentiated, whose expected gradient is 0 on " +
        "what was drawn and pushes down without end what was not.",
    },
    {
      said:
        "With GPT-2's dropout of 0.1, which stays on while it samples, TRL 0.11.4 ends this colors task at 0.83 " +
        "of the held-out prompts; without dropout at 1.00.",
      source: "a report of one run",
      fault:
        "Not seen again: three seeds of TRL, asked greedily and without dropout at the end, answer all of them " +
        "(deno task bench:trl -- --python VENV/bin/python --dropout 0.1). Networks here have no dropout, so " +
        "that it has no arm: weights or activations disturbed in another way would be another mistake.",
    },
  ],
  measures: [
    ...[exactAfter, rewardAfter, lastScore, lastKl],
    ...[firstGap, firstRatio, lastFinished, longest, leastKl, rewardsApart],
  ],
  answer: (results: Results) => {
    const both = (a: string, b: string, measure: Measure, digits = 3) =>
      `${results.said(a, measure, digits)}, in the right form ${results.said(b, measure, digits)}`;
    return [
      results.compared(UNSHIFTED, PPO, exactAfter),
      results.compared(UNSHIFTED, PPO, lastScore),
      `Unshifted log-probabilities are told by the sampler's, from which they are away in the first step, in nats, ${
        both(UNSHIFTED, PPO, firstGap, 6)
      }; the mean ratio there is ${both(UNSHIFTED, PPO, firstRatio)}.`,
      results.compared(END, PPO, exactAfter),
      `Ends taken for padding are told by the share of completions that end: ${
        both(END, PPO, lastFinished)
      }.`,
      results.compared(LATE, PPO, exactAfter),
      `Late binding is told by rewards that agree: the largest gap between the means of the two is ${
        both(LATE, PPO, rewardsApart)
      }.`,
      results.compared(K1, K3, lastKl),
      results.compared(K1, K3, rewardAfter),
      results.compared(SLICE, WHOLE, rewardAfter),
      `The slice under left padding is told by responses longer than what is drawn, ${
        results.said(SLICE, longest)
      } tokens where ${results.said(WHOLE, longest)} were, and by a KL estimate that falls to ${
        results.said(SLICE, leastKl, 2)
      }, in the right form ${results.said(WHOLE, leastKl, 2)}.`,
    ];
  },
};
