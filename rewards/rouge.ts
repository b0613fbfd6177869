/**
 * How much of an answer's words a completion has in their order: ROUGE-L of Lin 2004 ("ROUGE: a package for
 * automatic evaluation of summaries", section 3.1), with precision and recall weighed alike.
 *   LCS = words of the longest row of words that both have in this order, gaps allowed
 *   P = LCS / words of the completion, R = LCS / words of the answer, F = 2 P R / (P + R)
 * Of several answers the nearest counts. Range 0 to 1; null where the example has no answer, or none with a
 * word. Letters and digits of any script make words, whatever the case.
 * @module
 */
import { defineOptions } from "../base/options.ts";
import type { Reward, RewardBatch, RewardDefinition } from "./reward.ts";
import { targetsOf } from "./targets.ts";

const wordsOf = (text: string): string[] =>
  text.normalize("NFC").toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

/**
 * Words of the longest common subsequence. A bit a word of `a`, so that each word of `b` costs a few
 * operations on all of them at once (Hyyro 2004, "Bit-parallel LCS-length computation revisited").
 */
export function commonWords(a: readonly string[], b: readonly string[]): number {
  const places = new Map<string, bigint>(), all = (1n << BigInt(a.length)) - 1n;
  for (const [i, word] of a.entries()) places.set(word, (places.get(word) ?? 0n) | 1n << BigInt(i));
  let unmatched = all;
  for (const word of b) {
    const found = unmatched & (places.get(word) ?? 0n);
    unmatched = (unmatched + found | unmatched - found) & all;
  }
  return a.length - unmatched.toString(2).replaceAll("0", "").length;
}

/** ROUGE-L of two lists of words, of which `answer` has one at least; 0 to 1. */
export function rougeL(completion: readonly string[], answer: readonly string[]): number {
  const common = commonWords(answer, completion);
  return 2 * common / (completion.length + answer.length);
}

/** The reward. */
export function rouge(): Reward {
  return {
    name: "rouge",
    score({ completions, examples }: RewardBatch): Promise<(number | null)[]> {
      return Promise.resolve(completions.map((completion, i) => {
        const answers = targetsOf(examples[i]).map(wordsOf).filter(({ length }) => length > 0);
        if (answers.length === 0) return null;
        const words = wordsOf(completion);
        return Math.max(...answers.map((answer) => rougeL(words, answer)));
      }));
    },
  };
}

/** `rouge` by name. */
export const definition: RewardDefinition<Record<never, never>> = {
  name: "rouge",
  summary: "words of the answer in their order: ROUGE-L, 0 to 1",
  formula: [
    "LCS = words in the order of both; P = LCS / words of the completion; R = LCS / words of the answer",
    "F = 2 P R / (P + R)",
  ],
  range: "0 to 1",
  source: "Lin 2004, ROUGE, section 3.1, with beta 1",
  players:
    "Nothing earns 0. A constant answer earns what its words share in order with each answer; a copy of the prompt much where the answer repeats it.",
  options: defineOptions("the reward rouge", {}),
  counts: [],
  answers: true,
  quick: () => true,
  open: rouge,
};
