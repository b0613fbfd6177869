/** What a reward is: text in, numbers out, `null` where it cannot judge. @module */

/** One prompt with what its task knows about it. */
export interface Example {
  /** Stable name, unique in its task. */
  id: string;
  prompt: string;
  /** The parent's answer, where the task has one; rewards that need it give null without it. */
  answer?: string;
  /** Further accepted answers or task columns, by name. */
  [column: string]: unknown;
}

/** One batch to judge; the three arrays have the same length. */
export interface RewardBatch {
  prompts: readonly string[];
  completions: readonly string[];
  examples: readonly Example[];
}

/** A reward sees whole batches, may be asynchronous, and gives null for "cannot judge this one". */
export interface Reward {
  /** Column name in metrics: lower-case, no spaces. */
  readonly name: string;
  score(batch: RewardBatch): Promise<(number | null)[]>;
  /** Counts since the last call, by name (fallbacks, words out of vocabulary, …); resets them. */
  takeCounts?(): Record<string, number>;
}

/** Turns texts into vectors, e.g. word vectors averaged, or a sentence encoder. */
export interface TextEmbedder {
  readonly name: string;
  readonly dimensions: number;
  /** One vector a text; null where no part of the text is known. */
  embed(texts: readonly string[]): Promise<(Float32Array | null)[]>;
}

/** Says how kind texts are, e.g. a classifier network. */
export interface SentimentClassifier {
  readonly name: string;
  /** 2p - 1 of each text, in [-1, 1], where p is the probability that it is positive. */
  score(texts: readonly string[]): Promise<number[]>;
}

/** Gives the answer that the child is trained towards. */
export interface Parent {
  readonly name: string;
  /** One answer an example; null where the parent has none. */
  answer(examples: readonly Example[]): Promise<(string | null)[]>;
}
