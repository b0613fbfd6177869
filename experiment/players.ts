/**
 * Players that learn nothing: what a task and its rewards pay without a model. A policy that earns no more
 * has learned nothing either, and a reward that pays them much says little.
 * @module
 */
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { CombinedReward } from "../rewards/combine.ts";
import type { Example } from "../rewards/reward.ts";
import type { Task } from "../tasks/task.ts";
import type { Players, SplitResult } from "./observer.ts";
import type { ChosenReward } from "./rewards.ts";
import { meanOf, scoreTexts } from "./rollout.ts";

/** How much is scored at most: answers that the constant player tries, on so many training prompts; held-out prompts. */
export interface PlayerBounds {
  answers: number;
  train: number;
  heldout: number;
}

/** Where all rewards are quick: 13,000 scores at most. */
const QUICK: PlayerBounds = { answers: 50, train: 200, heldout: 1000 };
/** Where one may ask a network or a server: 176 scores at most. */
const SLOW: PlayerBounds = { answers: 5, train: 16, heldout: 32 };

/** How much is scored by these rewards. One of a program's own says nothing of its cost and counts as slow. */
export const boundsFor = (rewards: readonly ChosenReward[]): PlayerBounds =>
  rewards.every((one) => "definition" in one && one.definition.quick?.(one.settings))
    ? QUICK
    : SLOW;

/** What the players play. */
export interface Game extends Pick<Task, "examples" | "measure" | "subject"> {
  rewards: CombinedReward;
  /** Counts tokens. Default: nothing is cut. */
  tokenizer?: Pick<Tokenizer, "encode" | "decode">;
  /** No player says more, as no policy does. */
  maxNewTokens: number;
  /** Texts that are scored at a time, >= 1. */
  batchSize: number;
  bounds: PlayerBounds;
}

/** The last word of a text that has a letter or a digit, without quotes and punctuation around it; "" for none. */
export function lastWord(text: string): string {
  const word = text.split(/\s+/).findLast((part) => /[\p{L}\p{N}]/u.test(part)) ?? "";
  return word.replace(/^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$/gu, "");
}

/** Distinct answers, the most frequent first, of equal ones the earlier. */
export function distinctAnswers(examples: readonly Example[]): string[] {
  const counts = new Map<string, number>();
  for (const { answer } of examples) {
    if (answer !== undefined) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([answer]) => answer);
}

/**
 * What they earn on held-out prompts; undefined where there are none. The constant player says the answer of
 * training that earns most on training prompts, of equal ones the more frequent; it is absent where the
 * examples have no answers. What the rewards count meanwhile is left in them.
 * @throws what the rewards throw
 */
export async function play(game: Game): Promise<Players | undefined> {
  const { examples: { train, heldout }, bounds } = game;
  if (heldout.length === 0) return undefined;
  const asked = spread(heldout, bounds.heldout), tried = spread(train, bounds.train);
  const all = distinctAnswers(train), answers = all.slice(0, bounds.answers);
  let best: string | undefined, most = -Infinity;
  for (const answer of answers.length > 1 ? answers : []) {
    const { reward } = await earned(game, tried, () => answer);
    if (reward > most) [best, most] = [answer, reward];
  }
  const answer = best ?? answers[0];
  return {
    prompts: asked.length,
    copy: await earned(game, asked, (example) => copied(example, game.subject)),
    ...(answer !== undefined && {
      constant: {
        answer,
        tried: { answers: answers.length, of: all.length, prompts: tried.length },
        ...await earned(game, asked, () => answer),
      },
    }),
    nothing: await earned(game, asked, () => ""),
  };
}

/**
 * As `play`, of a task and its rewards alone: 48 texts at a time, with the bounds of quick rewards unless
 * `more` says otherwise.
 */
export const trivialPlayers = (
  { examples, measure, subject, maxNewTokens }: Pick<
    Task,
    "examples" | "measure" | "subject" | "maxNewTokens"
  >,
  rewards: CombinedReward,
  more: Partial<Pick<Game, "tokenizer" | "maxNewTokens" | "batchSize" | "bounds">> = {},
): Promise<Players | undefined> =>
  play({
    examples,
    measure,
    subject,
    maxNewTokens,
    batchSize: 48,
    bounds: QUICK,
    ...more,
    rewards,
  });

/** For people: what is left out where not all can be tried; undefined where nothing is. */
export function boundsNotice({ examples: { train, heldout }, bounds }: Game): string | undefined {
  const answers = distinctAnswers(train).length;
  const isAll = answers <= bounds.answers && train.length <= bounds.train &&
    heldout.length <= bounds.heldout;
  if (isAll || heldout.length === 0) return undefined;
  const part = (n: number, of: number) => n < of ? `${n} of ${of}` : `all ${of}`;
  const constant = answers === 0
    ? ""
    : `; the constant one tries ${part(bounds.answers, answers)} answers on ${
      part(bounds.train, train.length)
    } training prompts`;
  return `players that learn nothing are scored on ${
    part(bounds.heldout, heldout.length)
  } held-out prompts${constant}`;
}

/** The last word of what is asked about, with a space before it where the prompt ends without one. */
const copied = (example: Example, subject: Task["subject"]): string =>
  (/\s$/.test(example.prompt) ? "" : " ") + lastWord(subject?.(example) ?? example.prompt);

/** Means of what a player earns that says `say(example)`. */
async function earned(
  { rewards, measure, tokenizer, maxNewTokens, batchSize }: Game,
  examples: readonly Example[],
  say: (example: Example) => string,
): Promise<SplitResult> {
  const total: (number | null)[] = [], scores: Record<string, (number | null)[]> = {};
  const cut = (text: string): string => {
    const ids = tokenizer?.encode(text);
    return ids && ids.length > maxNewTokens ? tokenizer!.decode(ids.slice(0, maxNewTokens)) : text;
  };
  for (let at = 0; at < examples.length; at += batchSize) {
    const batch = examples.slice(at, at + batchSize);
    const found = await scoreTexts(rewards, batch, batch.map((one) => cut(say(one))));
    total.push(...found.total);
    for (const [name, of] of Object.entries(found.scores)) (scores[name] ??= []).push(...of);
  }
  return {
    exact: meanOf(scores.exact),
    reward: meanOf(total),
    // A program may let them play under rewards that the measure is not among.
    ...(measure !== undefined && scores[measure] && { measure: meanOf(scores[measure]) }),
  };
}

/** At most `most` of them, evenly spaced. */
export const spread = <T>(all: readonly T[], most: number): readonly T[] =>
  all.length <= most
    ? all
    : Array.from({ length: most }, (_, i) => all[Math.floor(i * all.length / most)]);
