/**
 * Model folders in Hugging Face form: `config.json`, `model.safetensors` or its shards, and beside them
 * `generation_config.json` and `tokenizer.json`.
 * @module
 */
import { configJson, type Gpt2Config, parseConfig } from "./config.ts";
import { replaceText } from "./files.ts";
import type { Store } from "./params.ts";
import { writeSafetensors } from "./safetensors.ts";
import { openWeights } from "./shards.ts";
import type { TensorSource, TensorSpec } from "./tensor_source.ts";
import { tokenizerText } from "./tokenizer_file.ts";

/** A model folder whose weights can be read. */
export interface ModelFolder extends Disposable {
  readonly config: Gpt2Config;
  /** Writes every weight into `weights`; a value head that the folder lacks is left as it is. */
  fill(weights: Store): Promise<void>;
}

/** How a folder is written. */
export interface SaveOptions {
  /** Element type in the file. F16 halves the size and rounds to 11 bits. Default F32. */
  dtype?: "F32" | "F16";
  /**
   * A `tokenizer.json` to copy into the folder, with the `tokenizer_config.json` beside it. Where it is
   * missing it is made of the `vocab.json` and `merges.txt` beside it.
   */
  tokenizer?: string;
}

const HEAD = "lm_head.weight"; // has no prefix
/** TRL's name of a value head inside `model.safetensors`. */
const VALUE_HEAD = "v_head.summary.";

/**
 * Opens a folder and checks its config and the header of its weights.
 * @throws {Error} naming the file that is missing or broken, and the cure
 */
export async function readFolder(folder: string): Promise<ModelFolder> {
  const path = `${folder}/config.json`;
  let json: unknown;
  const text = await Deno.readTextFile(path).catch((error: unknown) => {
    throw missing(error, `Cannot open the model folder ${folder} as it has no config.json`);
  });
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`Cannot use ${path} as it must be JSON: ${(error as Error).message}`);
  }
  const config = parseConfig(json, path);
  const file = await openWeights(folder, "AutoModelForCausalLM");
  return {
    config,
    fill: (weights) => fill(weights, file, config),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

const missing = (error: unknown, message: string): unknown =>
  error instanceof Deno.errors.NotFound ? new Deno.errors.NotFound(message) : error;

async function fill(weights: Store, file: TensorSource, config: Gpt2Config): Promise<void> {
  const names = [...file.entries.keys()];
  const hasValue = names.some((name) => name.startsWith("v_head."));
  const wanted: TensorSpec[] = weights.layout.parameters.filter(({ name }) =>
    hasValue || !name.startsWith("v_head.")
  );
  // A tied head is the token embedding again: its shape is checked, its numbers are not needed.
  const copy = config.tie_word_embeddings && names.includes(HEAD)
    ? [{ name: HEAD, shape: [config.vocab_size, config.n_embd] }]
    : [];
  const places = file.expect([...wanted, ...copy], (name) => {
    const plain = name.replace(/^transformer\./, "").replace(VALUE_HEAD, "v_head.");
    if (/^h\.\d+\.attn\.(masked_)?bias$/.test(plain)) return undefined; // causal masks, no weights
    if (plain.startsWith("v_head.") && !weights.layout.byName.has(plain)) return undefined;
    return plain;
  });
  for (const { name } of wanted) {
    weights.device.write(weights.get(name), await file.read(places.get(name)!));
  }
}

/**
 * Writes a folder that transformers (and, with a value head, TRL) loads. Each file is replaced as a
 * whole, the weights last.
 * @throws {RangeError} when a weight is not finite, or too large for F16
 */
export async function writeFolder(
  folder: string,
  config: Gpt2Config,
  { weights, dtype = "F32", tokenizer }: SaveOptions & { weights: Store },
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const torch_dtype = dtype === "F16" ? "float16" : "float32";
  await replaceText(`${folder}/config.json`, configJson({ ...config, torch_dtype }));
  const ids = Object.entries({
    bos_token_id: config.bos_token_id,
    eos_token_id: config.eos_token_id,
  }).filter(([, id]) => id !== null);
  await replaceText(
    `${folder}/generation_config.json`,
    JSON.stringify(Object.fromEntries(ids), null, 2) + "\n",
  );
  if (tokenizer !== undefined) {
    await replaceText(`${folder}/tokenizer.json`, await tokenizerText(tokenizer));
    // Without its settings transformers drops spaces before punctuation when it decodes.
    const settings = tokenizer.replace(/[^/\\]*$/, "tokenizer_config.json");
    const text = await Deno.readTextFile(settings).catch(() => undefined);
    if (text !== undefined) await replaceText(`${folder}/tokenizer_config.json`, text);
  }
  const fileName = (name: string): string =>
    name === HEAD
      ? name
      : name.startsWith("v_head.")
      ? name.replace("v_head.", VALUE_HEAD)
      : `transformer.${name}`;
  await writeSafetensors(`${folder}/model.safetensors`, {
    tensors: weights.order.map(({ name, shape }) => ({ name: fileName(name), shape })),
    data: async function* () {
      for await (const [, data] of weights.read()) yield data;
    },
    dtype,
    metadata: { format: "pt" }, // transformers refuses a file that does not say it
  });
}
