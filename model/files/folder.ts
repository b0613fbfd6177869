/**
 * Model folders in Hugging Face form: `config.json`, `model.safetensors` or its shards, and beside them
 * `generation_config.json` and `tokenizer.json`.
 * @module
 */
import { configJson, type ModelConfig, modelDims, parseConfig } from "../config.ts";
import { fileParts, packPart, unpackPart } from "../families/families.ts";
import { readJson, replaceText } from "./disk.ts";
import type { Parameter, Store } from "../params.ts";
import { writeSafetensors } from "./safetensors.ts";
import { openWeights } from "./shards.ts";
import type { TensorSource, TensorSpec } from "./tensor_source.ts";
import { tokenizerText } from "./tokenizer_file.ts";

/** A model folder whose weights can be read. */
export interface ModelFolder extends Disposable {
  readonly config: ModelConfig;
  /**
   * Writes every weight into `weights`. The value head goes there or into `beside`, whichever has one;
   * one that the folder lacks is left as it is.
   */
  fill(weights: Store, beside?: Store): Promise<void>;
}

/** How a folder is written. */
export interface SaveOptions {
  /** Element type in the file. F16 halves the size and rounds to 11 bits. Default F32. */
  dtype?: "F32" | "F16";
  /**
   * A `tokenizer.json` to copy into the folder, with the `tokenizer_config.json` and
   * `special_tokens_map.json` beside it. Where it is missing it is made of the `vocab.json` and
   * `merges.txt` beside it.
   */
  tokenizer?: string;
}

const HEAD = "lm_head.weight"; // has no prefix
/** TRL's name of a value head inside `model.safetensors`. */
const VALUE_HEAD = "v_head.summary.";

/**
 * The config of a folder, which need not have weights.
 * @throws {Error} when it is missing or broken, with the cure
 */
export async function readConfig(folder: string): Promise<ModelConfig> {
  const path = `${folder}/config.json`;
  const json = await readJson(path);
  if (json !== undefined) return parseConfig(json, path);
  throw new Deno.errors.NotFound(
    `Cannot open the model folder ${folder} as it has no config.json`,
  );
}

/**
 * Opens a folder and checks its config and the header of its weights.
 * @throws {Error} naming the file that is missing or broken, and the cure
 */
export async function readFolder(folder: string): Promise<ModelFolder> {
  const config = await readConfig(folder);
  const file = await openWeights(folder, "AutoModelForCausalLM");
  return {
    config,
    fill: (weights, beside) => fill({ weights, beside }, file, config),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

async function fill(
  { weights, beside }: { weights: Store; beside?: Store },
  file: TensorSource,
  config: ModelConfig,
): Promise<void> {
  const names = [...file.entries.keys()];
  const hasValue = names.some((name) => name.startsWith("v_head."));
  const isValue = ({ name }: TensorSpec): boolean => name.startsWith("v_head.");
  const wanted = [
    ...weights.layout.parameters.filter((parameter) => hasValue || !isValue(parameter)),
    ...(beside?.layout.parameters ?? []).filter((parameter) => hasValue && isValue(parameter)),
  ];
  // A tied head is the token embedding again: its shape is checked, its numbers are not needed.
  const { V, C } = modelDims(config);
  const copy = config.tie_word_embeddings && names.includes(HEAD)
    ? [{ name: HEAD, shape: [V, C] }]
    : [];
  const parts = wanted.flatMap((parameter) => fileParts(config, parameter));
  const places = file.expect([...parts, ...copy], (name) => {
    const plain = name.replace(/^transformer\./, "").replace(VALUE_HEAD, "v_head.");
    // Causal masks are no weights.
    if (/^h\.\d+\.attn\.(attention\.)?(masked_)?bias$/.test(plain)) return undefined;
    if (plain.startsWith("v_head.") && !wanted.some(({ name }) => name === plain)) return undefined;
    return plain;
  });
  for (const parameter of wanted) {
    const target = weights.find(parameter.name) ?? beside!.get(parameter.name);
    const data = await readParameter(parameter, config, (name) => file.read(places.get(name)!));
    weights.device.write(target, data);
  }
}

/** One parameter in our layout, from the tensors that `read` gives. */
async function readParameter(
  { name, shape, length }: Parameter,
  config: ModelConfig,
  read: (name: string) => Promise<Float32Array<ArrayBuffer>>,
): Promise<Float32Array<ArrayBuffer>> {
  let map: Float32Array<ArrayBuffer> | undefined;
  for (const { name: part, module } of fileParts(config, { name, shape })) {
    const data = await read(part);
    if (!module) return data;
    map ??= new Float32Array(length);
    packPart(data, { map, wide: shape[1], module });
  }
  return map!;
}

/** Writes `tokenizer` (see `SaveOptions`) and its settings into `folder`. */
export async function copyTokenizer(folder: string, tokenizer: string): Promise<void> {
  await replaceText(`${folder}/tokenizer.json`, await tokenizerText(tokenizer));
  // Without its settings transformers drops spaces before punctuation when it decodes.
  for (const name of ["tokenizer_config.json", "special_tokens_map.json"]) {
    const text = await Deno.readTextFile(tokenizer.replace(/[^/\\]*$/, name))
      .catch(() => undefined);
    if (text !== undefined) await replaceText(`${folder}/${name}`, text);
  }
}

/**
 * Writes a folder that transformers (and, with a value head, TRL) loads. Each file is replaced as a
 * whole, the weights last.
 * @throws {RangeError} when a weight is not finite, or too large for F16
 */
export async function writeFolder(
  folder: string,
  config: ModelConfig,
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
  if (tokenizer !== undefined) await copyTokenizer(folder, tokenizer);
  const fileName = (name: string): string =>
    name === HEAD
      ? name
      : name.startsWith("v_head.")
      ? name.replace("v_head.", VALUE_HEAD)
      : `transformer.${name}`;
  await writeSafetensors(`${folder}/model.safetensors`, {
    tensors: weights.order.flatMap((parameter) =>
      fileParts(config, parameter).map(({ name, shape }) => ({ name: fileName(name), shape }))
    ),
    data: async function* () {
      for await (const [parameter, data] of weights.read()) {
        const wide = parameter.shape[1];
        for (const { module } of fileParts(config, parameter)) {
          yield module ? unpackPart(data, { wide, module }) : data;
        }
      }
    },
    dtype,
    metadata: { format: "pt" }, // transformers refuses a file that does not say it
  });
}
