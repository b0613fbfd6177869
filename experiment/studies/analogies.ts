/** GRPO on analogies: group size, KL, and whether near answers are paid. @module */
import {
  equalGroups,
  exactAfter,
  firstScore,
  lastKl,
  lastScore,
  rewardAfter,
  rewardBefore,
} from "./measures.ts";
import type { Results } from "./results.ts";
import type { Study, StudyArm } from "./study.ts";

const SIZES = [2, 4, 8, 16];
const arm = (name: string, settings: Record<string, number>, reward = "first_word"): StudyArm => ({
  name,
  request: {
    task: "analogies",
    algorithm: "grpo",
    reward,
    steps: 40,
    settings: { batchSize: 48, ...settings },
  },
});
const sized = (size: number): string => `groups of ${size}`;
const [NO_KL, NEAR] = ["without KL", "semantic"];
const USUAL = 4;

/** The study. */
export const analogies: Study = {
  name: "analogies",
  title: "Group size, KL and near answers in GRPO",
  question:
    "How many completions of a prompt does GRPO need, what does its KL term hold, and do near answers help?",
  method: [
    "A is to B as C is to: 48 completions a step, in groups of 2, 4, 8 or 16, the first word right or not. Beside " +
    "groups of 4 one arm leaves out KL, and one is paid by the nearest of the answers' word vectors.",
    "A step has as many completions in every arm, so that larger groups mean fewer prompts a step.",
  ],
  arms: [
    ...SIZES.map((groupSize) => arm(sized(groupSize), { groupSize })),
    arm(NO_KL, { groupSize: USUAL, klCoefficient: 0 }),
    arm(NEAR, { groupSize: USUAL }, "semantic"),
  ],
  seeds: [1, 2, 3],
  quick: { steps: 2, settings: { batchSize: 16 } },
  claims: [{
    said:
      "With groups of 4 and a KL of 0.1, greedy answers rose from 0.15 to 0.80; larger groups and no KL are " +
      "discussed, and the reward is called semantic.",
    source: "a GRPO notebook for gpt-neo-125M on word analogies",
    fault:
      "Neither was run; its reward was an exact match; the 20 prompts asked were those trained on; and its " +
      "slice began inside the prompt wherever a row was padded at the left.",
  }],
  measures: [firstScore, lastScore, rewardBefore, rewardAfter, exactAfter, equalGroups, lastKl],
  answer: (results: Results) => [
    ...[2, 8, 16].map((size) => results.compared(sized(size), sized(USUAL), rewardAfter)),
    `Groups without signal: ${
      SIZES.map((size) => `${results.said(sized(size), equalGroups)} of ${size}`).join(", ")
    }.`,
    results.compared(NO_KL, sized(USUAL), rewardAfter),
    `With KL the policy ends ${
      results.said(sized(USUAL), lastKl, 2)
    } nats from the reference; without, nothing measures it.`,
    results.compared(NEAR, sized(USUAL), exactAfter),
  ],
};
