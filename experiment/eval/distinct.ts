/**
 * How varied texts are: distinct-n of Li, Galley, Brockett, Gao and Dolan 2016 (arXiv 1510.03055), different
 * n-grams of all texts together divided by all words. Words are lower-case, between white space.
 * @module
 */
import { pieces } from "../../rewards/words.ts";

/** The share of all texts, and of all but those of one prompt, for each prompt. NaN where there is no word. */
export interface DistinctShares {
  whole: number;
  left: number[];
}

/** Distinct-n of texts by prompt. An n-gram lies within one text. */
export function distinctWithout(
  prompts: readonly (readonly string[])[],
  n: number,
): DistinctShares {
  const counted = prompts.map((texts) => countGrams(texts, n));
  const total = new Map<string, number>();
  for (const { grams } of counted) {
    for (const [gram, count] of grams) total.set(gram, (total.get(gram) ?? 0) + count);
  }
  const words = counted.reduce((sum, one) => sum + one.words, 0);
  const left = counted.map((one) => {
    const alone = [...one.grams].filter(([gram, count]) => total.get(gram) === count).length;
    return (total.size - alone) / (words - one.words);
  });
  return { whole: total.size / words, left };
}

function countGrams(
  texts: readonly string[],
  n: number,
): { grams: Map<string, number>; words: number } {
  const grams = new Map<string, number>();
  let count = 0;
  for (const text of texts) {
    const words = pieces(text.toLowerCase());
    count += words.length;
    for (let at = 0; at + n <= words.length; at++) {
      const gram = words.slice(at, at + n).join(" ");
      grams.set(gram, (grams.get(gram) ?? 0) + 1);
    }
  }
  return { grams, words: count };
}
