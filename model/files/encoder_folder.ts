/**
 * Folders of encoders, as transformers or sentence-transformers keeps them: config.json,
 * model.safetensors, tokenizer.json.
 *
 * ```ts
 * using embedder = await loadSentenceEmbedder(device, "all-MiniLM-L6-v2");
 * const [a, b] = await embedder.embed(["a red apple", "some fruit"]);
 * ```
 * @module
 */
import { excerpt, shown } from "../../base/excerpt.ts";
import type { Device } from "../../kernels/device.ts";
import { parseEncoderConfig } from "../encoder/config.ts";
import type { EncoderOptions, EncoderSource } from "../encoder/encoder.ts";
import { SentenceEmbedder } from "../encoder/sentence.ts";
import { SentimentModel } from "../encoder/sentiment.ts";
import { sourceOf } from "./deno_folder.ts";
import { type FolderSource, MissingFileError, pathIn, readJson } from "./folder_source.ts";
import { openWeights } from "./shards.ts";
import { loadTokenizer } from "./tokenizer_file.ts";

/** The object in a file that may be missing. */
async function readObject(
  folder: FolderSource,
  name: string,
): Promise<Record<string, unknown> | undefined> {
  const value = await readJson(folder, name);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (value === undefined || isObject) return value as Record<string, unknown> | undefined;
  throw new TypeError(
    `Cannot use ${pathIn(folder, name)} as it must be a JSON object: it is ${shown(value)}`,
  );
}

/**
 * Reads a sentence encoder. Texts are cut after `max_seq_length` tokens where `sentence_bert_config.json`
 * states it, else after as many as the model has positions.
 * @throws {Error} when a file is missing or broken, or the folder pools in another way
 */
export async function loadSentenceEmbedder(
  device: Device,
  folder: string | FolderSource,
  options: EncoderOptions = {},
): Promise<SentenceEmbedder> {
  const from = sourceOf(folder);
  const settings = await readObject(from, "sentence_bert_config.json");
  const pooling = await readObject(from, "1_Pooling/config.json");
  const modes = Object.entries(pooling ?? {})
    .filter(([key, on]) => key.startsWith("pooling_mode_") && on).map(([key]) => key);
  if (modes.some((mode) => mode !== "pooling_mode_mean_tokens")) {
    throw new TypeError(
      `Cannot embed with ${from.path} as only the mean of tokens is implemented: it has ${
        excerpt(modes.join())
      }`,
    );
  }
  const longest = settings?.max_seq_length ?? Infinity;
  if (typeof longest !== "number" || !(longest >= 3)) {
    throw new RangeError(
      `Cannot embed with ${from.path} as max_seq_length must be at least 3: it is ${
        shown(longest)
      }`,
    );
  }
  using source = await openEncoder(from, "AutoModel");
  return await SentenceEmbedder.create(device, source, { ...options, longest });
}

/**
 * Reads a classifier of sentiment.
 * @throws {Error} when a file is missing or broken
 * @throws {TypeError} when the model is no DistilBERT, or has not two classes
 */
export async function loadSentimentModel(
  device: Device,
  folder: string | FolderSource,
  options: EncoderOptions = {},
): Promise<SentimentModel> {
  using source = await openEncoder(sourceOf(folder), "AutoModelForSequenceClassification");
  return await SentimentModel.create(device, source, options);
}

/** Opens a folder; `auto` is transformers' class that reads it, for the cure of pickled weights. */
async function openEncoder(
  folder: FolderSource,
  auto: string,
): Promise<EncoderSource & Disposable> {
  const json = await readJson(folder, "config.json");
  if (json === undefined) {
    throw new MissingFileError(
      `Cannot open the encoder ${folder.path} as it has no config.json; give a folder as ` +
        "save_pretrained writes it",
    );
  }
  const config = parseEncoderConfig(json, pathIn(folder, "config.json"));
  const tokenizer = await loadTokenizer(folder, { modelVocab: config.dims.V });
  const weights = await openWeights(folder, auto);
  return {
    name: folder.path,
    config,
    tokenizer,
    weights,
    [Symbol.dispose]: () => weights[Symbol.dispose](),
  };
}
