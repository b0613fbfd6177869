/**
 * 1 where the completion's first word is that of the answer, or of one that is accepted beside it; else 0.
 * Case and punctuation around a word do not count. The reward that a GRPO notebook on analogies computes.
 * Range 0 to 1; null where the example has no answer.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import type { Reward, RewardBatch, RewardDefinition } from "./reward.ts";
import { targetsOf } from "./targets.ts";
import { firstWord } from "./words.ts";

/** Of an answer of several words the first one counts as well. A completion without a word gets 0. */
export function firstWordReward(): Reward {
  return {
    name: "first_word",
    score({ completions, examples }: RewardBatch): Promise<(number | null)[]> {
      return Promise.resolve(completions.map((text, i) => {
        const targets = targetsOf(examples[i]);
        if (targets.length === 0) return null;
        const word = firstWord(text);
        return Number(word !== "" && targets.some((target) => firstWord(target) === word));
      }));
    },
  };
}

/** `first_word` by name. */
export const definition: RewardDefinition = {
  name: "first_word",
  summary: "1 where the first word is that of an accepted answer, else 0",
  formula: ["1 where the first word equals that of answer or of one of accepted, else 0"],
  range: "0 to 1",
  source: "a GRPO notebook on analogies with gpt-neo-125M",
  players:
    "Nothing and the prompt earn 0; one word the share of examples that accept it. What follows the first word is not looked at.",
  options: defineOptions("the reward first_word", {}),
  counts: [],
  open: firstWordReward,
};
