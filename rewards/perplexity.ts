/**
 * How likely a language model finds a completion, by its perplexity exp(mean negative log-probability of the
 * completion's own tokens):
 *   R = 2 / (1 + perplexity / scale)
 * 1 where the perplexity is `scale`, at most 2 / (1 + 1 / scale), never below 0. The published experiments
 * have scale 50 for mathematics, and scale 30 for dialogue with the response alone (`context=alone`), whose
 * first token then has no score, as nothing stands before it.
 * Null where there is no token to score: an empty completion, or alone one of a single token.
 * @module
 */
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import { described } from "../base/excerpt.ts";
import type { Reward, RewardBatch, RewardDefinition, TextScorer } from "./reward.ts";
import { tally } from "./tally.ts";

// deno-fmt-ignore
const ROWS = {
  model: { kind: "text", default: "reference", unit: "reference, policy, a folder, or a fetched OWNER/NAME", doc: "whose perplexity: reference is the model as the run began, policy as it is now", group: "Rewards and advantages" },
  scale: { kind: "number", default: 50, min: 0, above: true, usual: "30 to 50", doc: "perplexity that gets the reward 1", group: "Rewards and advantages" },
  context: { kind: "choice", choices: ["prompt", "alone"], default: "prompt", doc: "perplexity of the completion after its prompt, or alone, from its second token on", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `perplexity` by name. */
export type PerplexitySettings = OptionValues<typeof ROWS>;

/** Asks `scorer`. Counts `unscored` and `cut` completions. */
export function perplexity(
  scorer: TextScorer,
  { scale, context }: Pick<PerplexitySettings, "scale" | "context">,
): Reward {
  const counted = tally("unscored", "cut");
  return {
    name: "perplexity",
    counts: counted.counts,
    takeCounts: counted.takeCounts,
    async score({ prompts, completions }: RewardBatch): Promise<(number | null)[]> {
      const before = context === "alone" ? prompts.map(() => "") : prompts;
      const scores = await scorer.perTokenNll(before, completions);
      if (!Array.isArray(scores) || scores.length !== completions.length) {
        throw new RangeError(
          `Cannot score as ${scorer.name} must give ${completions.length} results: got ` +
            described(scores),
        );
      }
      return scores.map(({ sum, tokens, cut }) => {
        if (cut) counted.add("cut");
        if (tokens > 0) return 2 / (1 + Math.exp(sum / tokens) / scale);
        counted.add("unscored");
        return null;
      });
    },
  };
}

/** `perplexity` by name. */
export const definition: RewardDefinition<PerplexitySettings> = {
  name: "perplexity",
  summary: "how likely a language model finds the completion: 1 at perplexity 50, 0 to 2",
  formula: ["2 / (1 + exp(-mean log p of the completion's tokens) / scale)"],
  range: "0 to 2 / (1 + 1 / scale)",
  source: "LossFunk's comparison of rewards (Math Perplexity, Dialogue Perplexity)",
  players:
    "Nothing gets null. A copy of the prompt and one sentence over and over are likely, and earn more than most answers: it pays for the usual, whatever it says.",
  options: defineOptions("the reward perplexity", ROWS),
  // deno-fmt-ignore
  counts: [
    { name: "unscored", healthy: "0", meaning: "completions without a token to score; they get null", remedy: "Above: the policy ends at once, and learns nothing from it; add the reward length." },
    { name: "cut", healthy: "0", meaning: "completions of which the model has too few positions to see all, with their prompt", remedy: "Above: shorten prompts, lower maxNewTokens, or set perplexityModel to one of more positions." },
  ],
  scorer: ({ model }) => model,
  async open({ model, ...settings }, { openScorer }) {
    if (openScorer) return perplexity(await openScorer(model), settings);
    throw new TypeError(
      `Cannot score perplexity by ${model} as a language model needs a device: give one beside it`,
    );
  },
};
