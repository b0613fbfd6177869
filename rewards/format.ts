/**
 * A quarter for each pair of tags that a completion has: <reasoning> … </reasoning>, <answer> … </answer>.
 * As published both tags need only be there somewhere; `strict` asks for each once, opened before it is
 * closed, and gives the answer's quarter only where it begins after the reasoning ends.
 * Range 0 to 0.5.
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import type { Reward, RewardDefinition } from "./reward.ts";

// deno-fmt-ignore
const ROWS = {
  strict: { kind: "boolean", default: false, doc: "format reward: each tag once, the answer after the reasoning; else anywhere, any number of times", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `format` by name. */
export type FormatSettings = OptionValues<typeof ROWS>;

const has = (text: string, name: string): boolean =>
  text.includes(`<${name}>`) && text.includes(`</${name}>`);

/** Where the one pair begins and ends; undefined where a tag is missing, comes twice or too early. */
function placeOf(text: string, name: string): { from: number; to: number } | undefined {
  const [open, close] = [`<${name}>`, `</${name}>`];
  const from = text.indexOf(open), to = text.indexOf(close);
  if (from < 0 || to < from) return undefined;
  return from === text.lastIndexOf(open) && to === text.lastIndexOf(close)
    ? { from, to }
    : undefined;
}

/** 0, 1 or 2 pairs. */
function pairsIn(text: string, strict: boolean): number {
  if (!strict) return Number(has(text, "reasoning")) + Number(has(text, "answer"));
  const reasoning = placeOf(text, "reasoning"), answer = placeOf(text, "answer");
  const isBehind = answer !== undefined && (reasoning === undefined || answer.from > reasoning.to);
  return Number(reasoning !== undefined) + Number(isBehind);
}

/** The reward. Tags are lower-case; what stands between them does not matter. */
export const format = ({ strict }: FormatSettings): Reward => ({
  name: "format",
  score: ({ completions }) => Promise.resolve(completions.map((text) => pairsIn(text, strict) / 4)),
});

/** `format` by name. */
export const definition: RewardDefinition<FormatSettings> = {
  name: "format",
  summary: "0.25 for <reasoning> tags, 0.25 for <answer> tags",
  formula: ["0.25 [both reasoning tags] + 0.25 [both answer tags]"],
  range: "0 to 0.5",
  source: "LossFunk's comparison of rewards on GSM8K",
  players: "Nothing and the prompt earn 0. Four empty tags earn all of it.",
  options: defineOptions("the reward format", ROWS),
  counts: [],
  open: format,
};
