/** Every reward, by name. A new one is a file of its own and a line here. @module */
import { unknownName } from "../base/names.ts";
import { definition as exact } from "./exact.ts";
import { definition as judgeHard } from "./judge_hard.ts";
import { definition as judgeSoft } from "./judge_soft.ts";
import type { RewardDefinition } from "./reward.ts";
import { definition as semantic } from "./semantic.ts";

// deno-lint-ignore no-explicit-any -- each has settings of its own
const REWARDS: readonly RewardDefinition<any>[] = [exact, semantic, judgeHard, judgeSoft];

/** All rewards, in the order of `--list`. */
export const listRewards = (): readonly RewardDefinition[] => REWARDS;

/** @throws {TypeError} for an unknown name, with the nearest one. */
export function findReward(name: string): RewardDefinition {
  const found = REWARDS.find((reward) => reward.name === name);
  if (found) return found;
  throw unknownName("reward", name, REWARDS.map((reward) => reward.name));
}

/** What the command line calls an option of a reward: `semanticPower`, `judgeServer` of a family. */
export const rewardSetting = (
  { name, family = name }: Pick<RewardDefinition, "name" | "family">,
  option: string,
): string => family + option[0].toUpperCase() + option.slice(1);
