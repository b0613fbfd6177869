/** Whether the rewards of a run make sense for its task. @module */
import { firstOf } from "../base/excerpt.ts";
import type { Task } from "../tasks/task.ts";
import { type ChosenReward, nameOf } from "./rewards.ts";

/**
 * What people should know of these rewards on this task, a sentence each.
 * @throws {TypeError} where a reward that is trained on compares with answers, and no training example has one
 */
export function fitNotices(
  { name: task, fits, examples: { train } }: Task,
  rewards: readonly ChosenReward[],
): string[] {
  const notices: string[] = [];
  for (const one of rewards) {
    const name = nameOf(one);
    if (!("definition" in one) || one.weight === 0) continue;
    if (fits && !fits.includes(name)) {
      notices.push(
        `${name} says little about ${task}: rewards that make sense for it are ${fits.join(", ")}`,
      );
    }
    if (!one.definition.answers) continue;
    const without = train.filter(({ answer }) => answer === undefined);
    if (without.length === train.length) {
      throw new TypeError(
        `Cannot train on ${task} by ${name} as that compares with the answers of its examples: none has one; ` +
          "give them answers, or name another reward (--reward)",
      );
    }
    if (without.length > 0) {
      const ids = firstOf(without.map(({ id }) => id), { most: 3, apart: ", " });
      notices.push(
        `${without.length} of ${train.length} training prompts ${
          without.length === 1 ? "has" : "have"
        } no answer (${ids}): ${name} cannot score them`,
      );
    }
  }
  return notices;
}
