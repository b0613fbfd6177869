/**
 * 1 where a pattern is found in the completion, else 0. The pattern is one of RE2, whose time grows with
 * the text alone: no completion, however long, and no pattern, however nested, keeps a run waiting. RE2
 * has no look-ahead and no back-references; `(?i)` in front ignores case, `(?s)` lets . match line ends.
 * Range 0 to 1.
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import { shown } from "../base/excerpt.ts";
import { asUsage } from "../base/usage.ts";
import type { Reward, RewardDefinition } from "./reward.ts";

// deno-fmt-ignore
const ROWS = {
  pattern: { kind: "text", otherwise: "none: it must be set", unit: "as RE2 reads it", doc: "regex reward: what is looked for", group: "Rewards and advantages" },
  whole: { kind: "boolean", default: false, doc: "regex reward: the pattern must be all of the completion, without white space at both ends", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `regex` by name. */
export type RegexSettings = OptionValues<typeof ROWS>;

/** The reward. @throws {TypeError} without a pattern; SyntaxError for one that is none, which it names */
export async function regex({ pattern, whole }: RegexSettings): Promise<Reward> {
  if (pattern === undefined) {
    throw asUsage(
      new TypeError(
        "Cannot reward a pattern as it must be set: it is not; set regexPattern=PATTERN",
      ),
    );
  }
  const { RE2JS } = await import("npm:re2js@2.9.1"); // 260 kB that no other run needs
  let compiled: ReturnType<typeof RE2JS.compile>;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    throw asUsage(
      new SyntaxError(
        `Cannot reward the pattern ${shown(pattern)} as RE2 must be able to read it: ` +
          (error as Error).message,
        { cause: error },
      ),
    );
  }
  return {
    name: "regex",
    score: ({ completions }) =>
      Promise.resolve(completions.map((text) => {
        const matcher = compiled.matcher(whole ? text.trim() : text);
        return Number(whole ? matcher.matches() : matcher.find());
      })),
  };
}

/** `regex` by name. */
export const definition: RewardDefinition<RegexSettings> = {
  name: "regex",
  summary: "1 where a pattern is found, else 0",
  formula: ["1 where the pattern is found (with whole: where it is all of the text), else 0"],
  range: "0 to 1",
  players: "Whoever knows the pattern earns 1, whatever the prompt.",
  options: defineOptions("the reward regex", ROWS),
  counts: [],
  open: regex,
};
