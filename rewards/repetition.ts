/**
 * A penalty for repeating oneself: minus the share of a completion's n-grams that came before in it,
 *   different / all - 1
 * over lower-case words between white space, or characters. 0 where it has fewer than n of them. As Yeo
 * et al. 2025 (arXiv 2502.03373, appendix B.2) penalise long reasoning. Range -1 to 0, -1 never quite.
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import type { Reward, RewardDefinition } from "./reward.ts";
import { pieces } from "./words.ts";

// deno-fmt-ignore
const ROWS = {
  size: { kind: "integer", default: 3, min: 1, max: 100, usual: "2 to 40", doc: "repetition reward: n of the n-grams that should differ", group: "Rewards and advantages" },
  unit: { kind: "choice", choices: ["words", "characters"], default: "words", doc: "repetition reward: n-grams of what", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `repetition` by name. */
export type RepetitionSettings = OptionValues<typeof ROWS>;

/** Share of the n-grams that came before. */
function repeatedShare(units: readonly string[], size: number): number {
  const all = units.length - size + 1;
  if (all < 1) return 0;
  const seen = new Set<string>();
  for (let at = 0; at < all; at++) seen.add(units.slice(at, at + size).join(" "));
  return 1 - seen.size / all;
}

/** The reward. */
export const repetition = ({ size, unit }: RepetitionSettings): Reward => ({
  name: "repetition",
  score: ({ completions }) =>
    Promise.resolve(completions.map((text) => {
      const lower = text.toLowerCase();
      return 0 - repeatedShare(unit === "words" ? pieces(lower) : [...lower], size);
    })),
});

/** `repetition` by name. */
export const definition: RewardDefinition<RepetitionSettings> = {
  name: "repetition",
  summary: "minus the share of repeated n-grams of words",
  formula: ["different n-grams / all n-grams - 1; 0 for fewer than n words"],
  range: "-1 to 0",
  source: "Yeo et al. 2025, arXiv 2502.03373",
  players:
    "Nothing, the prompt and every short answer earn 0, the most there is: it is a penalty, and needs a reward beside it.",
  options: defineOptions("the reward repetition", ROWS),
  counts: [],
  open: repetition,
};
