/** 1 where the completion is the answer, letter for letter; else 0. @module */
import { defineOptions } from "../base/options.ts";
import type { Reward, RewardBatch, RewardDefinition } from "./reward.ts";

/** White space at both ends and letter case do not count. */
export function sameText(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

const made = new WeakSet<Reward>();

/** True for what `exact` made: no other reward may have its name, as every run measures it. */
export const isExact = (reward: Reward): boolean => made.has(reward);

/** Compares each completion with `example.answer`: 1 or 0, null where the example has no answer. */
export function exact(): Reward {
  const reward: Reward = {
    name: "exact",
    score({ completions, examples }: RewardBatch): Promise<(number | null)[]> {
      return Promise.resolve(completions.map((text, i) => {
        const { answer } = examples[i];
        return answer === undefined ? null : Number(sameText(text, answer));
      }));
    },
  };
  made.add(reward);
  return reward;
}

/** `exact` by name. */
export const definition: RewardDefinition = {
  name: "exact",
  summary: "1 where the completion equals the answer but for case and outer spaces, else 0",
  formula: ["1 where completion and answer are equal, else 0"],
  range: "0 to 1",
  players: "Nothing and the prompt earn 0; one answer the share of examples that it answers.",
  options: defineOptions("the reward exact", {}),
  counts: [],
  answers: true,
  quick: () => true,
  open: exact,
};
