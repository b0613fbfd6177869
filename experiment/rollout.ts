/** The prompts of a step, and completions with what each reward gives them. @module */
import { permutation, STREAMS } from "../base/random.ts";
import { type Ends, withoutEnd } from "../model/ends.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { CombinedReward, RewardBreakdown } from "../rewards/combine.ts";
import { exact } from "../rewards/exact.ts";
import type { Example } from "../rewards/reward.ts";
import type { CompletionRow, Phase } from "./observer.ts";

/**
 * Examples in training order: the training set in an order of its own each epoch, without a rest.
 * @param from place of the first of them, counted from 0
 */
export function examplesFrom(
  train: readonly Example[],
  { from, count, seed }: { from: number; count: number; seed: number },
): Example[] {
  const batch: Example[] = [];
  for (let epoch = Math.floor(from / train.length); batch.length < count; epoch++) {
    const order = permutation(train.length, { seed, step: 0, epoch }, STREAMS.promptOrder);
    const first = Math.max(0, from - epoch * train.length);
    const rest = order.slice(first, first + count - batch.length);
    for (const row of rest) batch.push(train[row]);
  }
  return batch;
}

/** Turns responses into rows with text and scores. */
export interface Scorer {
  tokenizer: Tokenizer;
  /** Ids that end a response; null: none does. */
  eos: Ends;
  rewards: CombinedReward;
}

const exactly = exact();

/** The trained reward of one completion for each example, and each reward's value, `exact` among them. */
export async function scoreTexts(
  rewards: CombinedReward,
  examples: readonly Example[],
  completions: readonly string[],
): Promise<Pick<RewardBreakdown, "total" | "scores">> {
  const batch = { prompts: examples.map(({ prompt }) => prompt), completions, examples };
  const { total, scores } = await rewards.breakdown(batch);
  return { total, scores: { exact: await exactly.score(batch), ...scores } };
}

/** Text, trained reward and each reward's value of one response for each example. */
export async function scoreResponses(
  { tokenizer, eos, rewards }: Scorer,
  { examples, responses, step, phase }: {
    examples: readonly Example[];
    responses: readonly Int32Array[];
    step: number;
    phase: Phase;
  },
): Promise<CompletionRow[]> {
  const completions = responses.map((ids) => tokenizer.decode(withoutEnd(ids, eos)));
  const { total, scores } = await scoreTexts(rewards, examples, completions);
  return examples.map(({ id, prompt, answer }, b) => ({
    step,
    ...phase,
    id,
    prompt,
    completion: completions[b],
    answer: answer ?? "",
    reward: total[b],
    scores: Object.fromEntries(Object.entries(scores).map(([name, of]) => [name, of[b]])),
  }));
}

/** Mean of what could be scored; NaN where nothing could. */
export function meanOf(values: readonly (number | null)[]): number {
  const scored = values.filter((value) => value !== null);
  return scored.reduce((sum, value) => sum + value, 0) / scored.length;
}
