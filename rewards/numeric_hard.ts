/**
 * `scale` where the completion's number is the answer's, else 0: |x - t| < tolerance, or equal texts but for
 * case. Range 0 to `scale`, which is 2 in the published experiments on GSM8K ("Math Hard").
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import { sameText } from "./exact.ts";
import { extract, EXTRACTION, targetNumber } from "./extract.ts";
import type { Reward, RewardBatch, RewardDefinition } from "./reward.ts";
import { tally } from "./tally.ts";
import { targetsOf } from "./targets.ts";

// deno-fmt-ignore
const ROWS = {
  extract: EXTRACTION,
  scale: { kind: "number", default: 2, min: 0, above: true, doc: "numeric_hard reward of a right answer", group: "Rewards and advantages" },
  tolerance: { kind: "number", default: 0.01, min: 0, above: true, doc: "numeric_hard reward: how near a right number is, less than this", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `numeric_hard` by name. */
export type NumericHardSettings = OptionValues<typeof ROWS>;

/** Compares with `answer` and `accepted`; null where there is neither. Counts `no_number`, `no_target`. */
export function numericHard({ extract: from, scale, tolerance }: NumericHardSettings): Reward {
  const counted = tally("no_number", "no_target");
  return {
    name: "numeric_hard",
    counts: counted.counts,
    takeCounts: counted.takeCounts,
    score({ completions, examples }: RewardBatch): Promise<(number | null)[]> {
      return Promise.resolve(completions.map((completion, i) => {
        const targets = targetsOf(examples[i]);
        const { text, number } = extract(completion, from);
        if (number === undefined) counted.add("no_number");
        if (targets.length === 0) counted.add("no_target");
        else {
          const isRight = targets.some((target) => {
            const wanted = targetNumber(target);
            return text !== "" && sameText(text, target) ||
              number !== undefined && wanted !== undefined && Math.abs(number - wanted) < tolerance;
          });
          return isRight ? scale : 0;
        }
        return null;
      }));
    },
  };
}

/** `numeric_hard` by name. */
export const definition: RewardDefinition<NumericHardSettings> = {
  name: "numeric_hard",
  summary: "2 where the completion's number is the answer's, else 0",
  formula: ["scale where |x - t| < tolerance or the texts are equal, else 0"],
  range: "0 to scale",
  source: "LossFunk's comparison of rewards on GSM8K (Math Hard)",
  players:
    "Nothing earns 0; the prompt earns where its last number happens to be the answer; one number the share of examples that it answers.",
  options: defineOptions("the reward numeric_hard", ROWS),
  // deno-fmt-ignore
  counts: [
    { name: "no_number", healthy: "falls to 0", meaning: "completions without a number where one is looked for", remedy: "Above: the policy does not answer, or not in <answer>; set numericHardExtract, or add the reward format." },
    { name: "no_target", healthy: "0", meaning: "completions whose example has no answer; they get null", remedy: "Above: give the examples an answer." },
  ],
  open: numericHard,
};
