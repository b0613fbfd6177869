/**
 * Partial credit by relative error, for the completion's number x and the answer's t:
 *   scale * (1 - min(|x - t| / |t|, 1))       t not 0
 *   scale * max(0, 1 - |x| / 20)              t = 0
 * Range 0 to `scale`, which is 2 in the published experiments on GSM8K ("Math Soft"): t = 20, x = 18 gives
 * 1.8; x >= 2 t 0; t = 0, x = 5 1.5.
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import { extract, EXTRACTION, targetNumber } from "./extract.ts";
import type { Reward, RewardBatch, RewardDefinition } from "./reward.ts";
import { tally } from "./tally.ts";
import { targetsOf } from "./targets.ts";

// deno-fmt-ignore
const ROWS = {
  extract: EXTRACTION,
  scale: { kind: "number", default: 2, min: 0, above: true, doc: "numeric_soft reward of the right number", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `numeric_soft` by name. */
export type NumericSoftSettings = OptionValues<typeof ROWS>;

/** 1 for the number itself, falling to 0 as the error grows to the number's own size, or to 20 beside 0. */
export function closeness(x: number, t: number): number {
  return t === 0
    ? Math.max(0, 1 - Math.abs(x) / 20)
    : 1 - Math.min(Math.abs(x - t) / Math.abs(t), 1);
}

/** Share of the answer's different characters that the text has: what `parity` does without a number. */
function sharedCharacters(text: string, target: string): number {
  const wanted = new Set(target.trim()), given = new Set(text);
  return wanted.size === 0 ? 0 : wanted.intersection(given).size / wanted.size;
}

/** The nearest of `answer` and `accepted` counts; null where none has a number. */
export function numericSoft({ extract: from, scale }: NumericSoftSettings): Reward {
  const counted = tally("no_number", "no_target");
  return {
    name: "numeric_soft",
    counts: counted.counts,
    takeCounts: counted.takeCounts,
    score({ completions, examples }: RewardBatch): Promise<(number | null)[]> {
      return Promise.resolve(completions.map((completion, i) => {
        const { text, number } = extract(completion, from);
        const shares = targetsOf(examples[i]).flatMap((target) => {
          const t = targetNumber(target);
          if (t !== undefined) return number === undefined ? 0 : closeness(number, t);
          return from === "parity" ? sharedCharacters(text, target) : [];
        });
        if (number === undefined) counted.add("no_number");
        if (shares.length === 0) counted.add("no_target");
        return shares.length === 0 ? null : scale * Math.max(...shares);
      }));
    },
  };
}

/** `numeric_soft` by name. */
export const definition: RewardDefinition<NumericSoftSettings> = {
  name: "numeric_soft",
  summary: "2 for the answer's number, less by the relative error, 0 at its own size",
  // deno-fmt-ignore
  formula: ["scale (1 - min(|x - t| / |t|, 1))", "scale max(0, 1 - |x| / 20) where t = 0", "0 without a number x"],
  range: "0 to scale",
  source: "LossFunk's comparison of rewards on GSM8K (Math Soft)",
  players:
    "Nothing earns 0; one number of the usual size earns a good part of the scale everywhere, so that a mean above 0 is no sign of counting.",
  options: defineOptions("the reward numeric_soft", ROWS),
  // deno-fmt-ignore
  counts: [
    { name: "no_number", healthy: "falls to 0", meaning: "completions without a number where one is looked for; they get 0", remedy: "Above: the policy does not answer, or not in <answer>; set numericSoftExtract, or add the reward format." },
    { name: "no_target", healthy: "0", meaning: "completions whose example has no answer with a number; they get null", remedy: "Above: give the examples answers with a number, or take another reward." },
  ],
  open: numericSoft,
};
