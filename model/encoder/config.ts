/** The `config.json` of a BERT or DistilBERT in Hugging Face form: what is accepted, by letter. @module */
import * as z from "npm:zod@4.6.7";
import { checked, type ModelDims, ownNames, unused } from "../config.ts";

const size = z.int().positive();
const labels = z.record(z.string(), z.string()).default({});
const common = {
  id2label: labels,
  pruned_heads: unused("no head may be missing: save the model with all of them"),
  quantization_config: unused("weights must be numbers: save the model without quantization"),
};

// Keys that change what the network computes must hold the one value that is implemented here.
const bert = z.looseObject({
  model_type: z.literal("bert"),
  vocab_size: size,
  max_position_embeddings: size,
  type_vocab_size: size.default(2),
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  intermediate_size: size,
  hidden_act: z.literal("gelu").default("gelu"),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal("absolute").default("absolute"),
  is_decoder: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
  ...common,
});
const distilbert = z.looseObject({
  model_type: z.literal("distilbert"),
  vocab_size: size,
  max_position_embeddings: size.default(512),
  dim: size,
  n_layers: size,
  n_heads: size,
  hidden_dim: size,
  activation: z.literal("gelu").default("gelu"),
  ...common,
});
const schema = z.discriminatedUnion("model_type", [bert, distilbert]);
/** Other names of DistilBERT's settings: transformers' `attribute_map`. BERT has none. */
const DISTILBERT_ALIASES = {
  hidden_size: "dim",
  num_attention_heads: "n_heads",
  num_hidden_layers: "n_layers",
};

/** An encoder's sizes; P is the longest text in tokens, [CLS] and [SEP] included. */
export type EncoderDims = Omit<ModelDims, "scale" | "windows">;

/** What an encoder's `config.json` says. */
export interface EncoderConfig {
  readonly family: "bert" | "distilbert";
  readonly dims: EncoderDims;
  /** Rows of the token-type embedding; 0 where the family has none. */
  readonly types: number;
  /** Names of the classes by index; empty where the config states none. */
  readonly labels: readonly string[];
}

/**
 * Checks a parsed `config.json`.
 * @throws {TypeError} naming every key of the wrong kind
 * @throws {RangeError} when the sizes do not fit each other
 */
export function parseEncoderConfig(value: unknown, from = "the encoder's config"): EncoderConfig {
  const given = value as Record<string, unknown> | null;
  const named = given?.model_type === "distilbert" ? ownNames(given, DISTILBERT_ALIASES) : value;
  const data = checked(schema, named, `${from} as a BERT or DistilBERT`);
  const labels = Object.entries(data.id2label).sort(([a], [b]) => Number(a) - Number(b))
    .map(([, label]) => label);
  const shared = { V: data.vocab_size, P: data.max_position_embeddings };
  const { types, C, L, H, I, eps } = data.model_type === "bert"
    ? {
      types: data.type_vocab_size,
      C: data.hidden_size,
      L: data.num_hidden_layers,
      H: data.num_attention_heads,
      I: data.intermediate_size,
      eps: data.layer_norm_eps,
    }
    : {
      types: 0,
      C: data.dim,
      L: data.n_layers,
      H: data.n_heads,
      I: data.hidden_dim,
      eps: 1e-12, // no key of the config: transformers writes the number into its code
    };
  if (C % H !== 0) {
    throw new RangeError(
      `Cannot use ${from} as the width must be divisible by the number of heads: ${C} and ${H}`,
    );
  }
  return { family: data.model_type, types, labels, dims: { ...shared, C, L, H, D: C / H, I, eps } };
}
