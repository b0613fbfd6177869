/**
 * How well a completion's length n keeps limits:
 *   1                          min <= n <= max
 *   n / min                    n < min
 *   max(0, 1 - (n - max) / max)    n > max
 * so that nothing is earned by an empty completion where there is a least length, nor by twice the most.
 * `target` is both limits. Range 0 to 1.
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import { markUsage } from "../base/usage.ts";
import type { Reward, RewardDefinition } from "./reward.ts";
import { pieces } from "./words.ts";

// deno-fmt-ignore
const ROWS = {
  unit: { kind: "choice", choices: ["words", "characters"], default: "words", doc: "length reward: what is counted; characters without white space at both ends", group: "Rewards and advantages" },
  target: { kind: "integer", min: 1, max: 1e9, otherwise: "the limits", doc: "length reward: the one length that gets 1", group: "Rewards and advantages" },
  min: { kind: "integer", min: 0, max: 1e9, otherwise: "none", doc: "length reward: least length that gets 1", group: "Rewards and advantages" },
  max: { kind: "integer", min: 1, max: 1e9, otherwise: "none", doc: "length reward: greatest length that gets 1", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `length` by name. */
export type LengthSettings = OptionValues<typeof ROWS>;

/** @throws {TypeError} without any limit, or with `target` beside one; RangeError where min is above max */
function limitsOf({ target, min, max }: LengthSettings): { least: number; most: number } {
  const cannot = (rule: string, now: string) => `Cannot reward length as ${rule}: ${now}`;
  if (target === undefined && min === undefined && max === undefined) {
    throw new TypeError(
      cannot("it needs a limit", "there is none; set lengthTarget, lengthMin or lengthMax"),
    );
  }
  if (target !== undefined && (min !== undefined || max !== undefined)) {
    throw new TypeError(
      cannot("target is both limits", `min is ${min}, max is ${max}; leave one of the two out`),
    );
  }
  const least = target ?? min ?? 0, most = target ?? max ?? Infinity;
  if (least > most) {
    throw new RangeError(cannot("min must be at most max", `they are ${least} and ${most}`));
  }
  return { least, most };
}

/** The reward. Characters are Unicode's code points. @throws as `limitsOf` */
export function length(settings: LengthSettings): Reward {
  const { least, most } = limitsOf(settings);
  const lengthOf = (text: string): number =>
    settings.unit === "words" ? pieces(text).length : [...text.trim()].length;
  return {
    name: "length",
    score: ({ completions }) =>
      Promise.resolve(completions.map((text) => {
        const n = lengthOf(text);
        if (n < least) return n / least;
        return n > most ? Math.max(0, 1 - (n - most) / most) : 1;
      })),
  };
}

/** `length` by name. */
export const definition: RewardDefinition<LengthSettings> = {
  name: "length",
  summary: "1 within limits of length, less outside, 0 for nothing or twice the most",
  formula: ["1 where min <= n <= max", "n / min below", "max(0, 1 - (n - max) / max) above"],
  range: "0 to 1",
  players:
    "Nothing earns 0 under a least length, and 1 without one. Any words of the right number earn 1.",
  options: defineOptions("the reward length", ROWS),
  counts: [],
  open: (settings) => markUsage(() => length(settings)),
};
