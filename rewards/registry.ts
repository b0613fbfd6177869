/** Every reward, by name. A new one is a file of its own and a line here. @module */
import { unknownName } from "../base/names.ts";
import { definition as contains } from "./contains.ts";
import { definition as exact } from "./exact.ts";
import { definition as firstWord } from "./first_word.ts";
import { definition as format } from "./format.ts";
import { definition as judgeHard } from "./judge_hard.ts";
import { definition as judgeSoft } from "./judge_soft.ts";
import { definition as length } from "./length.ts";
import { definition as numericHard } from "./numeric_hard.ts";
import { definition as numericSoft } from "./numeric_soft.ts";
import { definition as perplexity } from "./perplexity.ts";
import { definition as regex } from "./regex.ts";
import { definition as repetition } from "./repetition.ts";
import { definition as rouge } from "./rouge.ts";
import { definition as semantic } from "./semantic.ts";
import { definition as sentiment } from "./sentiment.ts";
import type { RewardDefinition } from "./reward.ts";

// deno-lint-ignore no-explicit-any -- each has settings of its own
const REWARDS: readonly RewardDefinition<any>[] = [
  exact,
  semantic,
  firstWord,
  numericHard,
  numericSoft,
  perplexity,
  judgeHard,
  judgeSoft,
  sentiment,
  format,
  length,
  contains,
  rouge,
  regex,
  repetition,
];

/** All rewards, in the order of `--list`. */
export const listRewards = (): readonly RewardDefinition[] => REWARDS;

/** @throws {TypeError} for an unknown name, with the nearest one. */
export function findReward(name: string): RewardDefinition {
  const found = REWARDS.find((reward) => reward.name === name);
  if (found) return found;
  throw unknownName("reward", name, REWARDS.map((reward) => reward.name));
}

/**
 * What the command line calls an option of a reward: `semanticPower`, `numericHardScale`, `judgeServer` of a
 * family.
 */
export const rewardSetting = (
  { name, family = name }: Pick<RewardDefinition, "name" | "family">,
  option: string,
): string =>
  `${family}_${option}`.replaceAll(/_+(.)/g, (_, letter: string) => letter.toUpperCase());
