/** The `config.json` of a model in Hugging Face form: what is accepted, and what it must satisfy. @module */
import * as z from "npm:zod@4.6.7";
import { type Ends, endsOf } from "./ends.ts";

const size = z.int().positive();
const layers = size.max(10_000); // a hostile file makes no endless list of them
const tokenId = z.int().nonnegative().nullish().transform((id) => id ?? null);

// Keys that change what the network computes must hold a value that is implemented here. Everything
// else (dropout rates, task-specific parameters, …) is kept and written back as it came.
const common = {
  vocab_size: size,
  layer_norm_epsilon: z.number().positive().default(1e-5),
  activation_function: z.enum(["gelu_new", "gelu_pytorch_tanh"]).default("gelu_new"),
  initializer_range: z.number().positive().default(0.02),
  eos_token_id: z.union([z.int().nonnegative(), z.array(z.int().nonnegative()).min(1)]).nullish(),
  bos_token_id: tokenId,
  tie_word_embeddings: z.boolean().default(true),
};
const innerSize = size.nullish().transform((n) => n ?? null);
const span = z.enum(["global", "local"]);

const schemas = {
  gpt2: z.looseObject({
    model_type: z.literal("gpt2"),
    ...common,
    n_positions: size,
    n_embd: size,
    n_layer: layers,
    n_head: size,
    n_inner: innerSize,
    scale_attn_weights: z.literal(true).default(true),
    scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
    add_cross_attention: z.literal(false).default(false),
  }),
  gpt_neo: z.looseObject({
    model_type: z.literal("gpt_neo"),
    ...common,
    max_position_embeddings: size,
    hidden_size: size,
    num_layers: layers,
    num_heads: size,
    intermediate_size: innerSize,
    window_size: size.default(256),
    attention_types: z.array(z.tuple([z.array(span).min(1), layers])).min(1),
    attention_layers: z.array(span).optional(),
  }),
};

/** The keys that every family has, under the names of Hugging Face. Unknown keys stay in a config. */
interface CommonConfig {
  /** V: number of token ids. */
  readonly vocab_size: number;
  readonly layer_norm_epsilon: number;
  /** Both are the tanh form of GELU. */
  readonly activation_function: "gelu_new" | "gelu_pytorch_tanh";
  /** Standard deviation of fresh weights. */
  readonly initializer_range: number;
  /** Ends a text: `readConfig` puts in what all files of a folder say. Undefined: the file is silent. */
  readonly eos_token_id?: Ends;
  readonly bos_token_id: number | null;
  /** True: the head is the token embedding. False: it is a matrix of its own, `lm_head.weight`. */
  readonly tie_word_embeddings: boolean;
  readonly [other: string]: unknown;
}

/** A GPT-2 (Radford et al. 2019), under the names of Hugging Face's `GPT2Config`. */
export interface Gpt2Config extends CommonConfig {
  readonly model_type: "gpt2";
  /** P: the longest sequence, in tokens. */
  readonly n_positions: number;
  /** C: channels of the residual stream; a multiple of `n_head`. */
  readonly n_embd: number;
  /** L: blocks of attention and MLP. */
  readonly n_layer: number;
  /** H: attention heads. */
  readonly n_head: number;
  /** I: width of the MLP; null for 4 * n_embd. */
  readonly n_inner: number | null;
}

/**
 * A GPT-Neo (Black et al. 2021), under the names of Hugging Face's `GPTNeoConfig`: scores are not
 * divided by sqrt(D), and in local layers a token attends the last `window_size` tokens, itself
 * included.
 */
export interface GptNeoConfig extends CommonConfig {
  readonly model_type: "gpt_neo";
  /** P: the longest sequence, in tokens. */
  readonly max_position_embeddings: number;
  /** C: channels of the residual stream; a multiple of `num_heads`. */
  readonly hidden_size: number;
  /** L: blocks of attention and MLP. */
  readonly num_layers: number;
  /** H: attention heads. */
  readonly num_heads: number;
  /** I: width of the MLP; null for 4 * hidden_size. */
  readonly intermediate_size: number | null;
  /** Tokens that a token of a local layer attends. */
  readonly window_size: number;
  /** Runs of layers: each list is repeated so many times. [[["global", "local"], 6]] are 12 layers. */
  readonly attention_types: readonly (readonly [readonly AttentionSpan[], number])[];
  /** The same, layer by layer. */
  readonly attention_layers: readonly AttentionSpan[];
}
/** What the tokens of a layer attend: all before them, or the last `window_size`. */
export type AttentionSpan = "global" | "local";

/** The config of any family that a `Gpt2` can be. */
export type ModelConfig = Gpt2Config | GptNeoConfig;

/** Sizes of a model in the letters that the kernels use. */
export interface ModelDims {
  /** Vocabulary. */
  readonly V: number;
  /** Positions. */
  readonly P: number;
  /** Channels. */
  readonly C: number;
  /** Layers. */
  readonly L: number;
  /** Heads. */
  readonly H: number;
  /** Head size, C / H. */
  readonly D: number;
  /** Inner width of the MLP. */
  readonly I: number;
  /** Added to the variance in every layer norm. */
  readonly eps: number;
  /** Multiplies attention's scores q k'; 0 for 1 / sqrt(D). */
  readonly scale: number;
  /** (L) how many tokens a token attends at most in each layer, itself the last of them. */
  readonly windows: readonly number[];
}

/**
 * Checks a parsed `config.json`, or a literal for a new model (`model_type` "gpt2" may then be left
 * out).
 * @throws {TypeError} naming every key of the wrong kind
 * @throws {RangeError} when the sizes do not fit each other
 */
export function parseConfig(value: unknown, from = "the model's config"): ModelConfig {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject) {
    throw new TypeError(`Cannot use ${from} as it must be a JSON object: it is ${kindOf(value)}`);
  }
  const given = value as Record<string, unknown>;
  const config = given.model_type === "gpt_neo" ? gptNeo(given, from) : gpt2(given, from);
  const { V, C, H } = modelDims(config);
  if (C % H !== 0) {
    const [channels, heads] = config.model_type === "gpt2"
      ? ["n_embd", "n_head"]
      : ["hidden_size", "num_heads"];
    throw new RangeError(
      `Cannot use ${from} as ${channels} must be divisible by ${heads}: ${C} and ${H}`,
    );
  }
  for (const key of ["eos_token_id", "bos_token_id"] as const) {
    for (const id of endsOf(config[key])) {
      if (id < V) continue;
      throw new RangeError(
        `Cannot use ${from} as ${key} must be below vocab_size ${V}: it is ${id}`,
      );
    }
  }
  return config;
}

function gpt2(given: Record<string, unknown>, from: string): Gpt2Config {
  const config: Gpt2Config = checked(schemas.gpt2, {
    ...given,
    model_type: given.model_type ?? "gpt2",
    n_positions: given.n_positions ?? given.n_ctx, // old folders state n_ctx alone
  }, `${from} as a GPT-2`);
  const { n_positions, n_ctx } = config;
  if (n_ctx !== undefined && n_ctx !== n_positions) {
    throw new RangeError(
      `Cannot use ${from} as n_ctx must equal n_positions: ${n_ctx} and ${n_positions}`,
    );
  }
  return config;
}

function gptNeo(given: Record<string, unknown>, from: string): GptNeoConfig {
  const { attention_layers: all, attention_types: types } = given;
  // transformers reads the types first, and takes the layers instead where a file has both.
  const config = checked(
    schemas.gpt_neo,
    { ...given, attention_types: types ?? (all && [[all, 1]]) },
    `${from} as a GPT-Neo`,
  );
  const expanded: AttentionSpan[] = [];
  for (const [list, times] of config.attention_types) {
    for (let i = 0; i < times && expanded.length <= config.num_layers; i++) {
      for (const span of list) expanded.push(span);
    }
  }
  const { attention_layers = expanded, num_layers } = config;
  for (const [key, list] of Object.entries({ attention_types: expanded, attention_layers })) {
    if (list.length !== num_layers) {
      throw new RangeError(
        `Cannot use ${from} as ${key} must give num_layers ${num_layers} layers: it gives ${
          list.length > num_layers ? "more" : list.length
        }`,
      );
    }
  }
  const at = expanded.findIndex((span, l) => span !== attention_layers[l]);
  if (at >= 0) {
    throw new RangeError(
      `Cannot use ${from} as attention_layers must be what attention_types say: layer ${at} is ` +
        `${attention_layers[at]} and ${expanded[at]}`,
    );
  }
  return { ...config, attention_layers };
}

/** The value as `schema` has it. @throws {TypeError} "Cannot use <what> needs other values: …" */
function checked<T>(schema: z.ZodType<T>, value: Record<string, unknown>, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => {
    const found = path.reduce<unknown>((at, key) => (at as never)?.[key], value);
    return `${path.join(".")} is ${JSON.stringify(found) ?? "missing"} (${lower(message)})`;
  });
  throw new TypeError(`Cannot use ${what} needs other values: ${faults.join("; ")}`);
}

/** The sizes of `config`, by letter. */
export function modelDims(config: ModelConfig): ModelDims {
  const { vocab_size: V, layer_norm_epsilon: eps } = config;
  if (config.model_type === "gpt2") {
    const { n_positions: P, n_embd: C, n_layer: L, n_head: H, n_inner } = config;
    const windows = Array.from({ length: L }, () => P);
    return { V, P, C, L, H, D: C / H, I: n_inner ?? 4 * C, eps, scale: 0, windows };
  }
  const { max_position_embeddings: P, hidden_size: C, num_layers: L, num_heads: H } = config;
  const windows = config.attention_layers.map((span) => span === "local" ? config.window_size : P);
  return { V, P, C, L, H, D: C / H, I: config.intermediate_size ?? 4 * C, eps, scale: 1, windows };
}

/** The text of `config.json` for a folder that transformers loads. */
export function configJson(config: ModelConfig): string {
  const name = { gpt2: "GPT2LMHeadModel", gpt_neo: "GPTNeoForCausalLM" }[config.model_type];
  return JSON.stringify({ architectures: [name], ...config }, null, 2) + "\n";
}

const lower = (message: string): string => message[0].toLowerCase() + message.slice(1);
const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
