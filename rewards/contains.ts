/**
 * Whether a completion contains given words or phrases, or its example's answers. A phrase is found as
 * whole words (`cat` is not in `concatenate`), whatever the case and the white space between them.
 *   any     1 where one of them is found, else 0
 *   all     1 where every one is, else 0
 *   share   found / all of them
 * Range 0 to 1; null where the example has no answer and no phrases are set.
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import type { Reward, RewardBatch, RewardDefinition } from "./reward.ts";
import { targetsOf } from "./targets.ts";

// deno-fmt-ignore
const ROWS = {
  phrases: { kind: "text", otherwise: "the answers of the example", unit: "PHRASE|PHRASE|…", doc: "contains reward: words or phrases to look for", group: "Rewards and advantages", check: (value) => phrasesIn(String(value)).length > 0 ? undefined : "one or more phrases with | between them" },
  match: { kind: "choice", choices: ["any", "all", "share"], default: "any", doc: "contains reward: 1 where any is found, where all are, or the share that is", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `contains` by name. */
export type ContainsSettings = OptionValues<typeof ROWS>;

/** Equal for texts that differ in case, in how accents are written, or in white space. */
const folded = (text: string): string =>
  text.normalize("NFC").toLowerCase().replaceAll(/\s+/g, " ").trim();

function phrasesIn(text: string): string[] {
  return text.split("|").map(folded).filter((phrase) => phrase !== "");
}

const PART = /^[\p{L}\p{M}\p{N}_]$/u;

/** Whether the sign at an end of a text is a word's; it may be two units long. */
const isWord = (text: string, at: 0 | -1): boolean => PART.test([...text].at(at) ?? "");

/** Whether `phrase` stands in `text`, both folded, without a word going on at an end that is a word's. */
export function holds(text: string, phrase: string): boolean {
  const first = isWord(phrase, 0), last = isWord(phrase, -1);
  for (let at = text.indexOf(phrase); at >= 0; at = text.indexOf(phrase, at + 1)) {
    const end = at + phrase.length;
    const goesOn = first && isWord(text.slice(Math.max(0, at - 2), at), -1) ||
      last && isWord(text.slice(end, end + 2), 0);
    if (!goesOn) return true;
  }
  return false;
}

/** The reward. */
export function contains({ phrases, match }: ContainsSettings): Reward {
  const fixed = phrases === undefined ? undefined : phrasesIn(phrases);
  return {
    name: "contains",
    score({ completions, examples }: RewardBatch): Promise<(number | null)[]> {
      return Promise.resolve(completions.map((completion, i) => {
        const wanted = fixed ?? targetsOf(examples[i]).map(folded).filter((one) => one !== "");
        if (wanted.length === 0) return null;
        const text = folded(completion), found = wanted.filter((phrase) => holds(text, phrase));
        if (match === "share") return found.length / wanted.length;
        return Number(match === "any" ? found.length > 0 : found.length === wanted.length);
      }));
    },
  };
}

/** `contains` by name. */
export const definition: RewardDefinition<ContainsSettings> = {
  name: "contains",
  summary: "1 where the completion contains the answer, or phrases that are set",
  formula: ["any: 1 where one is found", "all: 1 where every one is", "share: found / all"],
  range: "0 to 1",
  players:
    "Nothing earns 0; the prompt earns where it holds the phrases. A list of all answers earns 1 for each.",
  options: defineOptions("the reward contains", ROWS),
  counts: [],
  quick: () => true,
  open: contains,
};
