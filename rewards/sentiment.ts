/**
 * How kind a completion is, alone, without its prompt:
 *   vader              the compound value of the VADER lexicon and rules
 *   a model's name     2 p - 1, p the probability of its positive class: a DistilBERT such as that of SST-2
 *                      or IMDB
 * Range -1 to 1; null for a completion without any text.
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import type { Reward, RewardContext, RewardDefinition, SentimentClassifier } from "./reward.ts";
import { tally } from "./tally.ts";
import { Vader } from "./vader/vader.ts";

const LEXICON = "vader";

// deno-fmt-ignore
const ROWS = {
  model: { kind: "text", default: LEXICON, unit: "vader, a folder, or a fetched OWNER/NAME", doc: "who scores sentiment: the VADER lexicon, or a DistilBERT classifier", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `sentiment` by name. */
export type SentimentSettings = OptionValues<typeof ROWS>;

/** Asks `classifier`. Counts `empty` and `neutral` completions. */
export function sentiment(classifier: SentimentClassifier): Reward {
  const counted = tally("empty", "neutral");
  return {
    name: "sentiment",
    counts: counted.counts,
    takeCounts: counted.takeCounts,
    async score({ completions }) {
      const texts = completions.filter((text) => text.trim() !== "");
      const values = texts.length > 0 ? await classifier.score(texts) : [];
      let next = 0;
      return completions.map((text) => {
        if (text.trim() === "") {
          counted.add("empty");
          return null;
        }
        const value = values[next++];
        if (value === 0) counted.add("neutral");
        return value;
      });
    },
  };
}

function openClassifier(name: string, context: RewardContext): Promise<SentimentClassifier> {
  if (name === LEXICON) return Vader.load();
  if (context.openClassifier) return context.openClassifier(name);
  throw new TypeError(
    `Cannot score sentiment by ${name} as a classifier needs a device: give one beside it`,
  );
}

/** `sentiment` by name. */
export const definition: RewardDefinition<SentimentSettings> = {
  name: "sentiment",
  summary: "how kind the completion is, by the VADER lexicon or a classifier, -1 to 1",
  // deno-fmt-ignore
  formula: ["vader: sum / sqrt(sum^2 + 15) of its words' valences, as its rules change them", "a classifier: 2 p - 1, p of the positive class"],
  range: "-1 to 1",
  source: "Hutto and Gilbert 2014, ICWSM (VADER); Sanh et al. 2019, arXiv 1910.01108 (DistilBERT)",
  players:
    'Nothing gets null; a copy of the prompt its sentiment. "great great great" earns 0.92, whatever was asked.',
  options: defineOptions("the reward sentiment", ROWS),
  // deno-fmt-ignore
  counts: [
    { name: "empty", healthy: "0", meaning: "completions without any text; they get null", remedy: "Above: the policy ends at once, and learns nothing from it; add the reward length." },
    { name: "neutral", healthy: "falls", meaning: "completions that get exactly 0: the lexicon knows none of their words, or they cancel out", remedy: "High: completions are too short, or not of such words; set sentimentModel to a classifier." },
  ],
  classifier: ({ model }) => model === LEXICON ? undefined : model,
  open: async ({ model }, context) => sentiment(await openClassifier(model, context)),
};
