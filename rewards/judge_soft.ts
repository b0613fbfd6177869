/**
 * A judge's rating of the completion, 0 to 10, over 5: 0 to 2. The judge is a chat server, or without one
 * the rubric of `rewards/judges/rubric.ts`.
 * @module
 */
import { defineOptions, type OptionValues } from "../base/options.ts";
import { judgeReward, openJudge } from "./judges/judge.ts";
import { JUDGE_COUNTS, JUDGE_ROWS, judgeNotice } from "./judges/settings.ts";
import type { RewardDefinition } from "./reward.ts";

/** `judge_soft` by name. */
export const definition: RewardDefinition<OptionValues<typeof JUDGE_ROWS>> = {
  name: "judge_soft",
  family: "judge",
  summary: "rating of 10, over 5: by a rubric, or a chat server (judgeServer)",
  formula: ["rating / 5, rating from 0 to 10"],
  range: "0 to 2",
  source: "the LossFunk study of reward structures, with Gemini as the judge",
  players: "With the rubric: nothing earns 0, the prompt's last word and one short answer little.",
  options: defineOptions("the reward judge_soft", JUDGE_ROWS),
  counts: JUDGE_COUNTS,
  server: ({ server }) => server,
  quick: ({ server }) => server === undefined,
  notice: (settings) => judgeNotice("judge_soft", settings),
  open: (settings, context) =>
    judgeReward("judge_soft", {
      judge: openJudge(settings, context),
      fallback: settings.fallback,
      value: (rating) => rating / 5,
    }),
};
