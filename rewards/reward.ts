/** What a reward is: text in, numbers out, `null` where it cannot score. @module */

import type { OptionTable, OptionValue } from "../base/options.ts";
import type { Servers } from "./servers/servers.ts";

/** One prompt with what its task knows about it. */
export interface Example {
  /** Stable name, unique in its task. */
  id: string;
  prompt: string;
  /** The parent's answer, where the task has one; rewards that need it give null without it. */
  answer?: string;
  /** What counts as right beside `answer`: rewards that compare with several targets take the best. */
  accepted?: readonly string[];
  /** Further task columns, by name. */
  [column: string]: unknown;
}

/** One batch to score; the three arrays have the same length. */
export interface RewardBatch {
  prompts: readonly string[];
  completions: readonly string[];
  examples: readonly Example[];
}

/** A reward sees whole batches, may be asynchronous, and gives null for "cannot score this one". */
export interface Reward {
  /** Column name in metrics: lower-case, no spaces. */
  readonly name: string;
  /** A run asks about a rollout's texts, about greedy answers, and about what players that learn nothing say. */
  score(batch: RewardBatch): Promise<(number | null)[]>;
  /**
   * Every name that `takeCounts` may give, known before the first score: a table's columns do not change
   * in the middle. Default: those of its definition, where it has one.
   */
  readonly counts?: readonly string[];
  /**
   * Counts since the last call, by name (fallbacks, words out of vocabulary, …); resets them. A name that
   * is left out counts 0.
   */
  takeCounts?(): Record<string, number>;
}

/** One number that a reward counts beside its scores. */
export interface RewardCount {
  /** Column `rewards/REWARD/name` of `metrics.csv`. */
  readonly name: string;
  /** What a run that learns looks like. */
  readonly healthy: string;
  /** What is counted, in one line: completions of a step, 0 to the batch. */
  readonly meaning: string;
  /** What to do where it is not healthy. */
  readonly remedy: string;
}

/** What a reward may need of whoever opens it. */
export interface RewardContext {
  /** Gives the answers that it compares with; of the task, where a run does not say otherwise. */
  readonly parent?: Parent;
  /** An embedder in place of the one that the settings name. */
  readonly embedder?: TextEmbedder;
  /** Opens a sentence encoder by name; absent where there is no device to hold it. */
  openEncoder?(name: string): Promise<TextEmbedder>;
  /** Opens a classifier of sentiment by name; absent where there is no device to hold it. */
  openClassifier?(name: string): Promise<SentimentClassifier>;
  /**
   * Opens a language model that scores texts: `policy` and `reference` are those of the run, another name
   * is a model's. Absent where there is no device to hold it.
   */
  openScorer?(name: string): Promise<TextScorer>;
  /** Opens a text file of word vectors, of which `rows` are kept, 0 for all; absent where none is read. */
  openWordVectors?(file: string, rows: number): Promise<TextEmbedder>;
  /** Asks servers for it, with keys, limits and a cache. Default: without any of them. */
  readonly servers?: Servers;
}

/** What a reward's file exports: the command line, help, docs and memory plan read it from here. */
export interface RewardDefinition<C = Record<string, OptionValue>> {
  /** What the command line calls it: a-z, 0-9 and _. */
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** Its settings; on the command line `power` of `semantic` is `semanticPower`. */
  readonly options: OptionTable<C>;
  readonly counts: readonly RewardCount[];
  /** What a completion gets, for docs: a line each. Default: the summary says it. */
  readonly formula?: readonly string[];
  /** Least and largest value, for docs. */
  readonly range?: string;
  /** Paper, or the published system that it is of. Default: none. */
  readonly source?: string;
  /** What those earn, for docs, who say nothing, copy the prompt, or give one answer to all. */
  readonly players?: string;
  /** Begins its settings' names, in place of its own; rewards of a family share those that both have. */
  readonly family?: string;
  /** Address of the server that it asks with these settings. Default: none. */
  server?(settings: Readonly<C>): string | undefined;
  /** What people should know before a run with these settings. Default: nothing. */
  notice?(settings: Readonly<C>): string | undefined;
  /** Name of the sentence encoder that it holds with these settings. Default: none. */
  encoder?(settings: Readonly<C>): string | undefined;
  /** Text file of word vectors that it reads with these settings. Default: none. */
  vectors?(settings: Readonly<C>): string | undefined;
  /** Name of the classifier of sentiment that it holds with these settings. Default: none. */
  classifier?(settings: Readonly<C>): string | undefined;
  /** Name of the language model that scores for it with these settings. Default: none. */
  scorer?(settings: Readonly<C>): string | undefined;
  /** True where it compares with the answer of each example: it can score no example without one. */
  readonly answers?: boolean;
  /**
   * Whether a score takes neither a network nor a server with these settings, so that a few thousand more
   * cost nothing. Default: no.
   */
  quick?(settings: Readonly<C>): boolean;
  /** @throws {Error} where what it needs cannot be had */
  open(settings: Readonly<C>, context: RewardContext): Reward | Promise<Reward>;
}

/** Turns texts into vectors, e.g. word vectors averaged, or a sentence encoder. */
export interface TextEmbedder {
  readonly name: string;
  readonly dimensions: number;
  /** One vector a text; null where no part of the text is known, undefined where a server failed. */
  embed(texts: readonly string[]): Promise<(Float32Array | null | undefined)[]>;
}

/** Says how kind texts are, e.g. a classifier network. */
export interface SentimentClassifier {
  readonly name: string;
  /** 2p - 1 of each text, in [-1, 1], where p is the probability that it is positive. */
  score(texts: readonly string[]): Promise<number[]>;
}

/** What a language model says of one text. */
export interface TextScore {
  /** Negative log-probability of the text's tokens, nats, >= 0; 0 for none. */
  readonly sum: number;
  /** How many tokens that is. */
  readonly tokens: number;
  /** True where the model has too few positions, and a part of prompt or text was left out. */
  readonly cut?: boolean;
}

/** Says how likely texts are, by a language model. */
export interface TextScorer {
  readonly name: string;
  /**
   * Of each completion after its prompt, whose own tokens do not count. After an empty prompt the
   * completion's first token stands for it: there is nothing that it could be predicted from.
   */
  perTokenNll(
    prompts: readonly string[],
    completions: readonly string[],
  ): Promise<TextScore[]>;
}

/** Gives the answer that the child is trained towards. */
export interface Parent {
  readonly name: string;
  /** One answer an example; null where the parent has none. */
  answer(examples: readonly Example[]): Promise<(string | null)[]>;
}
