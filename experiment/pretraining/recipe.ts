/**
 * How the default model in `assets/tiny` is made: the one place that holds every number of it.
 * `deno task pretrain` follows it, and assets/tiny/README.md says what came of it.
 * @module
 */
import type { CorpusOptions, Subject } from "./corpus.ts";

/** Everything that decides the bytes of the default model. */
export interface Recipe extends CorpusOptions {
  /** Any integer: corpus, initial weights and order of rows come from it. */
  seed: number;
  /** Tokens of the BPE, end-of-text included. */
  vocabulary: number;
  /** Share of documents cut behind a space when encoding, 0 to 1; see `EncodeOptions.cut`. */
  cut: number;
  /** GPT-2 sizes, under Hugging Face's names; the vocabulary's size comes from the tokenizer. */
  config: {
    n_positions: number;
    n_embd: number;
    n_layer: number;
    n_head: number;
    /** Standard deviation of fresh weights. */
    initializer_range: number;
  };
  /** Optimizer steps. */
  steps: number;
  /** Rows a step, each of `length` tokens. */
  batch: number;
  /** Tokens a row; at most `n_positions`. */
  length: number;
  /** Highest learning rate, reached after `warmup` steps; from there a cosine to `finalLr`. */
  lr: number;
  finalLr: number;
  warmup: number;
  /** AdamW: decay of both moments, decoupled weight decay (matrices only), largest gradient norm. */
  beta1: number;
  beta2: number;
  weightDecay: number;
  maxNorm: number;
}

/** The shares of the subjects in the corpus's characters. */
const mixture: Record<Subject, number> = {
  glosses: 0.18,
  colors: 0.36,
  antonyms: 0.1,
  categories: 0.09,
  sentiment: 0.05,
  arithmetic: 0.07,
  analogies: 0.07,
  answers: 0.04,
  everyday: 0.04,
};

/** The recipe of `assets/tiny`. */
export const RECIPE: Recipe = {
  seed: 1,
  characters: 7_000_000,
  mixture,
  asked: 0.4,
  vocabulary: 2048,
  cut: 0.4,
  config: { n_positions: 128, n_embd: 128, n_layer: 3, n_head: 4, initializer_range: 0.08 },
  steps: 2400,
  batch: 8,
  length: 128,
  lr: 3e-3,
  finalLr: 3e-4,
  warmup: 50,
  beta1: 0.9,
  beta2: 0.95,
  weightDecay: 0.1,
  maxNorm: 1,
};
