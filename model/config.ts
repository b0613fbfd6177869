/** The `config.json` of a GPT-2 in Hugging Face form: what is accepted, and what it must satisfy. @module */
import { z } from "zod";

const size = z.int().positive();
const tokenId = z.int().nonnegative().nullish().transform((id) => id ?? null);

// Keys that change what the network computes must hold the one value that is implemented here.
// Everything else (dropout rates, task-specific parameters, …) is kept and written back as it came.
const schema = z.looseObject({
  model_type: z.literal("gpt2"),
  vocab_size: size,
  n_positions: size,
  n_embd: size,
  n_layer: size,
  n_head: size,
  n_inner: size.nullish().transform((n) => n ?? null),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  activation_function: z.enum(["gelu_new", "gelu_pytorch_tanh"]).default("gelu_new"),
  initializer_range: z.number().positive().default(0.02),
  eos_token_id: tokenId,
  bos_token_id: tokenId,
  tie_word_embeddings: z.boolean().default(true),
  scale_attn_weights: z.literal(true).default(true),
  scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
});

/**
 * A GPT-2, under the names of Hugging Face's `GPT2Config`. Unknown keys stay in it.
 * `n_inner` null means 4 * n_embd; both activation functions are the tanh form of GELU.
 */
export interface Gpt2Config {
  readonly model_type: "gpt2";
  /** V: number of token ids. */
  readonly vocab_size: number;
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
  readonly layer_norm_epsilon: number;
  readonly activation_function: "gelu_new" | "gelu_pytorch_tanh";
  /** Standard deviation of fresh weights. */
  readonly initializer_range: number;
  readonly eos_token_id: number | null;
  readonly bos_token_id: number | null;
  /** True: the head is the token embedding. False: it is a matrix of its own, `lm_head.weight`. */
  readonly tie_word_embeddings: boolean;
  readonly [other: string]: unknown;
}

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
}

/**
 * Checks a parsed `config.json`, or a literal for a new model (`model_type` may then be left out).
 * @throws {TypeError} naming every key of the wrong kind
 * @throws {RangeError} when the sizes do not fit each other
 */
export function parseConfig(value: unknown, from = "the model's config"): Gpt2Config {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const given = isObject ? value as Record<string, unknown> : {};
  if (!isObject) {
    throw new TypeError(`Cannot use ${from} as it must be a JSON object: it is ${kindOf(value)}`);
  }
  const parsed = schema.safeParse({
    ...given,
    model_type: given.model_type ?? "gpt2",
    n_positions: given.n_positions ?? given.n_ctx, // old folders state n_ctx alone
  });
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => {
      const found = path.reduce<unknown>((at, key) => (at as never)?.[key], given);
      return `${path.join(".")} is ${JSON.stringify(found) ?? "missing"} (${lower(message)})`;
    });
    throw new TypeError(
      `Cannot use ${from} as a GPT-2 needs other values: ${faults.join("; ")}`,
    );
  }
  const config: Gpt2Config = parsed.data;
  const { n_embd, n_head, n_positions, n_ctx, vocab_size } = config;
  if (n_embd % n_head !== 0) {
    throw new RangeError(
      `Cannot use ${from} as n_embd must be divisible by n_head: ${n_embd} and ${n_head}`,
    );
  }
  if (n_ctx !== undefined && n_ctx !== n_positions) {
    throw new RangeError(
      `Cannot use ${from} as n_ctx must equal n_positions: ${n_ctx} and ${n_positions}`,
    );
  }
  for (const key of ["eos_token_id", "bos_token_id"] as const) {
    const id = config[key];
    if (id !== null && id >= vocab_size) {
      throw new RangeError(
        `Cannot use ${from} as ${key} must be below vocab_size ${vocab_size}: it is ${id}`,
      );
    }
  }
  return config;
}

/** The sizes of `config`, by letter. */
export function modelDims(config: Gpt2Config): ModelDims {
  const { vocab_size: V, n_positions: P, n_embd: C, n_layer: L, n_head: H } = config;
  return { V, P, C, L, H, D: C / H, I: config.n_inner ?? 4 * C, eps: config.layer_norm_epsilon };
}

/** The text of `config.json` for a folder that transformers loads. */
export function configJson(config: Gpt2Config): string {
  return JSON.stringify({ architectures: ["GPT2LMHeadModel"], ...config }, null, 2) + "\n";
}

const lower = (message: string): string => message[0].toLowerCase() + message.slice(1);
const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
