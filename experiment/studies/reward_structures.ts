/** Hard, soft and perplexity rewards on problems and on replies: six experiments, each really run. @module */
import {
  equalGroups,
  exactAfter,
  exactBefore,
  fallbacks,
  firstScore,
  lastKl,
  lastScore,
  measureAfter,
  rewardAfter,
} from "./measures.ts";
import type { Results } from "./results.ts";
import type { Study, StudyArm } from "./study.ts";

const COMMON = { algorithm: "grpo", steps: 40 };
const SETTINGS = { batchSize: 48, groupSize: 8 };

/** Each main reward with `format` beside it, as there. */
const arm = (
  name: string,
  task: string,
  reward: string,
  settings: Record<string, string | number>,
): StudyArm => ({
  name,
  request: {
    task,
    ...COMMON,
    reward: `${reward},format`,
    settings: { ...SETTINGS, ...settings },
  },
});

const MATH = { level: 1 };
const TALK = { batchSize: 32 }; // of 40 tokens each
const ARMS = [
  arm("math hard", "math", "numeric_hard", MATH),
  arm("math soft", "math", "numeric_soft", MATH),
  arm("math perplexity", "math", "perplexity", { ...MATH, perplexityModel: "policy" }),
  arm("dialogue hard", "dialogue", "judge_hard", TALK),
  arm("dialogue soft", "dialogue", "judge_soft", TALK),
  arm("dialogue perplexity", "dialogue", "perplexity", { ...TALK, perplexityScale: 30 }),
];

/** The study. */
export const rewardStructures: Study = {
  name: "reward-structures",
  title: "Hard, soft and perplexity rewards",
  question:
    "Does a reward of all or nothing teach more than one that tells near from far, and does the " +
    "likelihood of a text teach anything?",
  method: [
    "Six experiments: worded problems and everyday replies, each under a reward of all or nothing, a graded one, " +
    "and one by perplexity, with the reward for tags beside it. GRPO with groups of 8, everything else as the " +
    "task has it.",
    "Problems are of one step with numbers below 10, as a model of 2.6 M weights can add those and little more. " +
    "Replies are judged by a rubric that is no language model: it rates length, form, variety, and how much " +
    "of the request a reply takes up. What it says of a reply is a rule, not an opinion.",
    "Rewards of different kinds cannot be laid over each other, so that every arm is measured by one thing " +
    "besides its own reward: right answers for problems, words in common with the written reply for dialogue.",
  ],
  arms: ARMS,
  seeds: [1, 2, 3],
  quick: { steps: 2, settings: { batchSize: 8, groupSize: 4 } },
  claims: [
    {
      said:
        "Math under the hard reward improved by 25 % in 100 steps; soft fell by 0.21, and dialogue soft by 0.53.",
      source: "the LossFunk assignment's report",
      fault:
        "The 25 % compares the first step with the last one; the means of its first and last 20 steps are " +
        "1.064 and 1.091. One seed each, and no held-out prompts.",
    },
    {
      said: "Perplexity is a bad reward for problems, and gives 0 throughout on dialogue.",
      source: "the same",
      fault:
        "Both reward slots called the function that was bound last, the one for tags: perplexity was never " +
        "measured.",
    },
  ],
  measures: [
    ...[firstScore, lastScore, exactBefore, exactAfter, measureAfter, rewardAfter],
    ...[lastKl, equalGroups, fallbacks],
  ],
  answer: (results: Results) => [
    results.compared("math hard", "math soft", exactAfter),
    results.compared("math hard", "math perplexity", exactAfter),
    `Before training ${results.said("math hard", exactBefore)} of the problems are answered right.`,
    results.compared("dialogue soft", "dialogue hard", measureAfter),
    results.compared("dialogue soft", "dialogue perplexity", measureAfter),
    `Groups without signal: math hard ${results.said("math hard", equalGroups)}, math soft ` +
    `${results.said("math soft", equalGroups)}, dialogue hard ${
      results.said("dialogue hard", equalGroups)
    }, ` +
    `dialogue soft ${results.said("dialogue soft", equalGroups)}.`,
  ],
};
