/**
 * How the models in `assets/` are made: the one place that holds every number of them.
 * `deno task pretrain` follows it, and their README.md says what came of it.
 * @module
 */
import { didYouMean } from "../../base/names.ts";
import { asUsage } from "../../base/usage.ts";
import type { Subject } from "./corpus.ts";
import type { SmallSubject } from "./small/corpus.ts";

/** The shares of subjects, which say whose generators write the text. */
export type TinyRecipe = RecipeNumbers & { corpus: "tiny"; mixture: Record<Subject, number> };
export type SmallRecipe = RecipeNumbers & {
  corpus: "small";
  mixture: Record<SmallSubject, number>;
  stages?: readonly Stage<SmallSubject>[];
};

/** Everything that decides the bytes of a model. */
export type Recipe = TinyRecipe | SmallRecipe;

/** The numbers of a {@link Recipe}. */
export interface RecipeNumbers {
  /** Any integer: corpus, initial weights and order of rows come from it. */
  seed: number;
  /** Characters of text, about. */
  characters: number;
  /** The share of colour documents that ask for something about two colours, 0 to 1. */
  asked: number;
  /** Tokens of the BPE, end-of-text included. */
  vocabulary: number;
  /** Characters of each subject that are kept from training, to measure; 0 for the last 1 % of all tokens. */
  heldoutCharacters: number;
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
  /**
   * Highest learning rate, reached after `warmup` steps; from there a cosine to `finalLr`, or with
   * `decay` the highest rate until the last share of the steps, and there a line to `finalLr`.
   */
  lr: number;
  finalLr: number;
  warmup: number;
  /**
   * Share of the steps in which the rate falls, 0 to 1 (warm-up, stable, decay: Hu et al. 2024, arXiv
   * 2404.06395, section 4). The end can be moved while the rate is stable: stop, and resume with other steps.
   */
  decay?: number;
  /**
   * Updates between two measurements of the held-out loss, of which the lowest decides what is
   * kept; 0 for the weights of the last update.
   */
  evaluateEvery: number;
  /** AdamW: decay of both moments, decoupled weight decay (matrices only), largest gradient norm. */
  beta1: number;
  beta2: number;
  weightDecay: number;
  maxNorm: number;
}

/**
 * A later stage: what differs from the first. It begins with the weights and the tokenizer of the one before it,
 * with fresh moments, and reads text of its own.
 */
export type Stage<S extends string> =
  & Partial<Omit<RecipeNumbers, "config" | "vocabulary" | "heldoutCharacters">>
  & { mixture?: Record<S, number> };

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
export const RECIPE: TinyRecipe = {
  corpus: "tiny",
  seed: 1,
  characters: 7_000_000,
  mixture,
  asked: 0.4,
  heldoutCharacters: 0,
  vocabulary: 2048,
  cut: 0.4,
  config: { n_positions: 128, n_embd: 128, n_layer: 3, n_head: 4, initializer_range: 0.08 },
  steps: 2400,
  batch: 8,
  length: 128,
  lr: 3e-3,
  finalLr: 3e-4,
  warmup: 50,
  evaluateEvery: 0,
  beta1: 0.9,
  beta2: 0.95,
  weightDecay: 0.1,
  maxNorm: 1,
};

/** What the later stages of `small` read: what the first one left unlearned has a third of it. */
const LATER: Record<SmallSubject, number> = {
  glosses: 0.05,
  colors: 0.08,
  opposites: 0.08,
  categories: 0.08,
  copies: 0.06,
  moods: 0.08,
  arithmetic: 0.03,
  analogies: 0.06,
  dialogue: 0.07,
  reviews: 0.05,
  everyday: 0.03,
  long: 0.02,
  sums: 0.22,
  echoes: 0.09,
};

/** The recipe of `assets/small`. */
export const SMALL: SmallRecipe = {
  corpus: "small",
  seed: 1,
  characters: 26_000_000,
  mixture: {
    glosses: 0.14,
    colors: 0.12,
    opposites: 0.11,
    categories: 0.1,
    copies: 0.13,
    moods: 0.08,
    arithmetic: 0.12,
    analogies: 0.07,
    dialogue: 0.05,
    reviews: 0.05,
    everyday: 0.04,
    long: 0.03,
    sums: 0,
    echoes: 0,
  },
  asked: 0.4,
  heldoutCharacters: 10_000,
  vocabulary: 4096,
  cut: 0.3,
  config: { n_positions: 256, n_embd: 192, n_layer: 4, n_head: 6, initializer_range: 0.06 },
  steps: 5200,
  batch: 4,
  length: 256,
  lr: 3e-3,
  finalLr: 1e-4,
  warmup: 100,
  decay: 0.2,
  evaluateEvery: 400,
  beta1: 0.9,
  beta2: 0.95,
  weightDecay: 0.1,
  maxNorm: 1,
  stages: [2e-3, 2e-3, 1.5e-3].map((lr) => ({
    lr,
    characters: 18_000_000,
    steps: 6600,
    mixture: LATER,
  })),
};

/** The recipes by the name of their model. */
export const RECIPES: Readonly<Record<string, Recipe>> = { tiny: RECIPE, small: SMALL };

/**
 * The recipe of one stage, counted from 1.
 * @throws {Error} marked as usage, when there is no such recipe or stage
 */
export function recipeOf(name: string, stage = 1): Recipe {
  const names = Object.keys(RECIPES);
  if (!Object.hasOwn(RECIPES, name)) {
    throw asUsage(
      new Error(
        `Cannot pretrain as the recipe is one of ${names.join(", ")}: it is ${
          JSON.stringify(name)
        }.` +
          didYouMean(name, names),
      ),
    );
  }
  const recipe = RECIPES[name];
  if (stage === 1) return recipe;
  const stages = recipe.corpus === "small" ? recipe.stages ?? [] : [];
  const later = stages[stage - 2];
  if (later) return { ...recipe, ...later } as Recipe;
  throw asUsage(
    new Error(
      `Cannot pretrain as the recipe ${name} has stages 1 to ${stages.length + 1}: it is ${stage}`,
    ),
  );
}
