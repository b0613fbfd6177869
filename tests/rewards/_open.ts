/** Rewards by name, and what they give texts. @module */
import type { OptionValue } from "../../base/options.ts";
import { findReward } from "../../rewards/registry.ts";
import type { Example, Reward, RewardContext } from "../../rewards/reward.ts";

/** The reward of that name with settings by its own names; what is left out has its default. */
export async function open(
  name: string,
  settings: Readonly<Record<string, OptionValue>> = {},
  context: RewardContext = {},
): Promise<Reward> {
  const definition = findReward(name);
  return await definition.open(definition.options.resolve(settings), context);
}

/** What a reward gives completions of one example. */
export function scores(
  reward: Reward,
  completions: readonly string[],
  example: Partial<Example> = {},
): Promise<(number | null)[]> {
  return Promise.resolve(reward.score({
    prompts: completions.map(() => example.prompt ?? ""),
    completions,
    examples: completions.map(() => ({ id: "x", prompt: "", ...example })),
  }));
}
