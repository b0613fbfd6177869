/**
 * 2 where a judge rates the completion at or above a threshold, else 0. Ratings go from 0 to 10; the
 * judge is a chat server, or without one the rubric of `rewards/judges/rubric.ts`.
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import { judgeReward, openJudge } from "./judges/judge.ts";
import { JUDGE_COUNTS, JUDGE_ROWS, judgeNotice } from "./judges/settings.ts";
import type { RewardDefinition } from "./reward.ts";

// deno-fmt-ignore
const ROWS = {
  ...JUDGE_ROWS,
  threshold: { kind: "number", default: 7, min: 0, max: 10, doc: "judge_hard: least rating that earns 2", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** `judge_hard` by name. */
export const definition: RewardDefinition<OptionValues<typeof ROWS>> = {
  name: "judge_hard",
  family: "judge",
  summary: "2 for a rating of 7 or more of 10, else 0: by a rubric, or a chat server (judgeServer)",
  formula: ["2 where the rating, 0 to 10, is the threshold or more, else 0"],
  range: "0 to 2",
  source: "the LossFunk study of reward structures, with Gemini as the judge",
  players: "With the rubric: nothing and the prompt's last word earn 0.",
  options: defineOptions("the reward judge_hard", ROWS),
  counts: JUDGE_COUNTS,
  server: ({ server }) => server,
  quick: ({ server }) => server === undefined,
  notice: (settings) => judgeNotice("judge_hard", settings),
  open: ({ threshold, ...settings }, context) =>
    judgeReward("judge_hard", {
      judge: openJudge(settings, context),
      fallback: settings.fallback,
      value: (rating) => rating >= threshold ? 2 : 0,
    }),
};
