/** The two models that are measured. @module */
import { RECIPE } from "../experiment/pretraining/recipe.ts";

/** Sizes of a model, as a `config.json` names them. */
export interface Sizes {
  vocab_size: number;
  n_positions: number;
  n_embd: number;
  n_layer: number;
  n_head: number;
}

/** The model of `assets/tiny`. */
export const DEFAULT_SIZES: Sizes = { vocab_size: RECIPE.vocabulary, ...RECIPE.config };
/** GPT-2 124M (Radford et al. 2019). */
export const GPT2_SIZES: Sizes = {
  vocab_size: 50257,
  n_positions: 1024,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
};
