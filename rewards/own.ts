/** A function as a reward: of a batch, or of one completion. @module */
import { described } from "../base/excerpt.ts";
import { bothErrors, thrownText } from "../base/thrown.ts";
import type { Example, Reward, RewardBatch } from "./reward.ts";

/** Gives an array with a value for each completion. */
export type BatchFunction = (
  batch: RewardBatch,
) => (number | null)[] | Promise<(number | null)[]>;

/** Gives the value of one completion; null where it cannot score it. */
export type CompletionFunction = (
  completion: string,
  example: Example,
) => number | null | Promise<number | null>;

/** A function that can be a reward. */
export type RewardFunction = BatchFunction | CompletionFunction;

/**
 * The reward that `score` is. One with a second parameter is of one completion. Of another, what it gives
 * the first time says which it is: for the batch an array; else it is asked again, for each completion.
 * @param name a-z, 0-9 and _
 */
export function functionReward(name: string, score: RewardFunction): Reward {
  const each = ({ completions, examples }: RewardBatch) =>
    Promise.all(
      completions.map(async (text, i) => await (score as CompletionFunction)(text, examples[i])),
    );
  const whole = async (batch: RewardBatch) => await (score as BatchFunction)(batch);
  let decided: ((batch: RewardBatch) => Promise<(number | null)[]>) | undefined = score.length > 1
    ? each
    : undefined;
  const decide = async (batch: RewardBatch): Promise<(number | null)[]> => {
    const given = await attempt(() => whole(batch));
    if (Array.isArray(given.value)) {
      decided = whole;
      return given.value;
    }
    const values = await attempt(() => each(batch));
    if (values.value?.every((value) => value === null || typeof value === "number")) {
      decided = each;
      return values.value;
    }
    const [one] = values.value ?? [];
    throw new TypeError(
      "it must give an array of values for a batch, or a number or null for a completion: " +
        `for a batch it ${given.said}, for a completion it ${
          values.value ? `gave ${described(one)}` : values.said
        }`,
      { cause: bothErrors(given.error, values.error) },
    );
  };
  return {
    name,
    score: async (batch) => batch.completions.length === 0 ? [] : await (decided ?? decide)(batch),
  };
}

/** What `ask` gives, or why it gives nothing. */
async function attempt<T>(
  ask: () => Promise<T>,
): Promise<{ value?: T; error?: unknown; said: string }> {
  try {
    const value = await ask();
    return { value, said: `gave ${described(value)}` };
  } catch (error) {
    return { error, said: `threw ${thrownText(error)}` };
  }
}
