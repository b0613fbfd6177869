/**
 * Encoders that score texts, forward only: a BERT as sentence embedder, a DistilBERT as classifier of
 * sentiment. Both give what transformers (and sentence-transformers) compute for the same folder.
 *
 * ```ts
 * using embedder = await SentenceEmbedder.load(device, "all-MiniLM-L6-v2");
 * const [a, b] = await embedder.embed(["a red apple", "some fruit"]);
 * ```
 * @module
 */
import { type Device, type FloatArray, Scope, type Tensor } from "../../kernels/device.ts";
import { meanRows } from "../../kernels/mean_rows.ts";
import { relu } from "../../kernels/relu.ts";
import { gatherRows } from "../../kernels/rows.ts";
import { type EncoderConfig, type EncoderDims, parseEncoderConfig } from "./config.ts";
import { encode, type Encoded, linear, type TextBatch } from "./forward.ts";
import { type EncodedText, MOST_ROWS, textBatches, TextReader } from "./texts.ts";
import { readJson } from "../files/disk.ts";
import { type EncoderWeights, loadEncoderWeights } from "./weights.ts";
import type { MatrixDtype } from "../params.ts";
import { Tokenizer } from "../tokenizer/tokenizer.ts";
import { Workspace } from "../workspace.ts";

/** Settings of an encoder that are no part of its weights. */
export interface EncoderOptions {
  /**
   * How matrices and embeddings are stored: "f16" takes half the memory, rounds each number to 11 bits
   * once, and computes in f32. Default "f32".
   */
  matrixDtype?: MatrixDtype;
}

/** The network, its tokenizer and its memory: what embedder and classifier share. */
class Encoder implements Disposable {
  readonly name: string;
  readonly dims: EncoderDims;
  readonly memory: Workspace;
  #scope: Scope;

  private constructor(
    scope: Scope,
    folder: string,
    config: EncoderConfig,
    readonly weights: EncoderWeights,
    readonly reader: TextReader,
  ) {
    this.name = folder;
    this.dims = config.dims;
    this.memory = new Workspace(scope.device);
    this.#scope = scope;
  }

  static async load(
    device: Device,
    folder: string,
    config: EncoderConfig,
    { longest = Infinity, ...storage }: EncoderOptions & { longest?: number; classes?: number },
  ): Promise<Encoder> {
    const { V, P } = config.dims;
    const tokenizer = await Tokenizer.load(folder, { modelVocab: V });
    const reader = new TextReader(tokenizer, Math.min(P, longest));
    const scope = new Scope(device);
    try {
      const weights = await loadEncoderWeights(scope, folder, config, storage);
      return new Encoder(scope, folder, config, weights, reader);
    } catch (error) {
      scope[Symbol.dispose]();
      throw error;
    }
  }

  /** Takes the memory of the largest batch of so many texts, ahead of use. */
  reserve(texts: number, tokens: number): TextBatch {
    const T = Math.min(tokens + 2, this.reader.most); // [CLS] and [SEP]
    const B = Math.min(texts, Math.max(1, Math.floor(MOST_ROWS / T)));
    const lengths = new Uint32Array(B).fill(T);
    const batch = { B, T, tokens: new Uint32Array(B * T), lengths };
    this.encode(batch);
    return batch;
  }

  /** Enqueues one batch. */
  encode(batch: TextBatch): Encoded {
    return encode(this.memory.device, this, batch);
  }

  /**
   * Runs `texts` batch by batch; `end` enqueues what follows the last hidden state and gives the
   * tensor to read, (B, width). Equal texts are computed once.
   */
  async run(
    texts: readonly EncodedText[],
    width: number,
    end: (encoded: Encoded, batch: TextBatch) => Tensor,
  ): Promise<Float32Array[]> {
    const places = new Map<string, number>(); // by ids
    const distinct: EncodedText[] = [];
    const place = texts.map((text) => {
      const key = text.ids.join();
      if (!places.has(key)) places.set(key, distinct.push(text) - 1);
      return places.get(key)!;
    });
    const rows: Float32Array[] = [];
    for (const { which, ...batch } of textBatches(distinct)) {
      const [read] = await this.memory.device.read(end(this.encode(batch), batch)) as FloatArray[];
      which.forEach((i, b) =>
        rows[i] = Float32Array.from(read.subarray(b * width, (b + 1) * width))
      );
    }
    return place.map((i) => rows[i].slice());
  }

  [Symbol.dispose](): void {
    this.memory[Symbol.dispose]();
    this.#scope[Symbol.dispose]();
  }
}

/**
 * A sentence encoder such as all-MiniLM-L6-v2 (Reimers and Gurevych 2019, arXiv:1908.10084): the mean
 * of a BERT's last hidden states, scaled to length 1. It is a `TextEmbedder` of the rewards.
 */
export class SentenceEmbedder implements Disposable {
  /** The folder that it was read from. */
  readonly name: string;
  /** C, elements of a vector. */
  readonly dimensions: number;
  #encoder: Encoder;

  private constructor(encoder: Encoder) {
    this.#encoder = encoder;
    this.name = encoder.name;
    this.dimensions = encoder.dims.C;
  }

  /**
   * Reads a folder as transformers or sentence-transformers keeps it: config.json,
   * model.safetensors, tokenizer.json. Texts are cut after `max_seq_length` tokens where
   * `sentence_bert_config.json` states it, else after as many as the model has positions.
   * @throws {Error} when a file is missing or broken, or the folder pools in another way
   */
  static async load(
    device: Device,
    folder: string,
    options: EncoderOptions = {},
  ): Promise<SentenceEmbedder> {
    const config = await readConfig(folder);
    const settings = await readJson(`${folder}/sentence_bert_config.json`) as Json;
    const pooling = await readJson(`${folder}/1_Pooling/config.json`) as Json;
    const modes = Object.entries(pooling ?? {})
      .filter(([key, on]) => key.startsWith("pooling_mode_") && on).map(([key]) => key);
    if (modes.some((mode) => mode !== "pooling_mode_mean_tokens")) {
      throw new TypeError(
        `Cannot embed with ${folder} as only the mean of tokens is implemented: it has ${modes}`,
      );
    }
    const longest = settings?.max_seq_length ?? Infinity;
    if (typeof longest !== "number" || !(longest >= 3)) {
      throw new RangeError(
        `Cannot embed with ${folder} as max_seq_length must be at least 3: it is ${longest}`,
      );
    }
    return new SentenceEmbedder(
      await Encoder.load(device, folder, config, { ...options, longest }),
    );
  }

  /**
   * One vector (C) of length 1 a text; null where no part of the text is in the vocabulary, an empty
   * text among them.
   */
  async embed(texts: readonly string[]): Promise<(Float32Array | null)[]> {
    const { reader, dims: { C }, memory } = this.#encoder;
    const read = texts.map((text) => reader.read(text));
    const known = read.filter((text) => text.known);
    const vectors = await this.#encoder.run(known, C, ({ hidden, length }, { B, T }) => {
      const out = memory.alloc(B * C, MEANS);
      meanRows(memory.device, { x: hidden, length, out }, { B, T, C });
      return out;
    });
    let next = 0;
    return read.map((text) => text.known ? toUnit(vectors[next++]) : null);
  }

  /** Takes the memory, ahead of use, of embedding `texts` texts of at most `tokens` tokens. */
  reserve(texts: number, tokens: number): void {
    const { B } = this.#encoder.reserve(texts, tokens);
    this.#encoder.memory.alloc(B * this.dimensions, MEANS);
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
  }
}

const MEANS = "encoder mean of tokens";

/** Scales `vector` to length 1, in place; a vector without length stays as it is. */
function toUnit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  for (let c = 0; c < vector.length; c++) vector[c] /= Math.max(length, 1e-12);
  return vector;
}

/**
 * A DistilBERT with a sequence classification head of two classes (Sanh et al. 2019,
 * arXiv:1910.01108), such as the SST-2 model: [CLS] row, matrix, ReLU, matrix. It is a
 * `SentimentClassifier` of the rewards.
 */
export class SentimentModel implements Disposable {
  /** The folder that it was read from. */
  readonly name: string;
  #encoder: Encoder;

  /** `positive`: index of the positive class. */
  private constructor(encoder: Encoder, readonly positive: 0 | 1) {
    this.#encoder = encoder;
    this.name = encoder.name;
  }

  /**
   * Reads a folder as transformers keeps it. The positive class is the one whose label starts with
   * "pos", or the second where neither does.
   * @throws {Error} when a file is missing or broken
   * @throws {TypeError} when the model is no DistilBERT, or has not two classes
   */
  static async load(
    device: Device,
    folder: string,
    options: EncoderOptions = {},
  ): Promise<SentimentModel> {
    const config = await readConfig(folder);
    const { family, labels } = config;
    if (family !== "distilbert") {
      throw new TypeError(
        `Cannot classify with ${folder} as it must be a DistilBERT: its model_type is ${family}`,
      );
    }
    if (labels.length !== 2 && labels.length !== 0) { // transformers writes no labels when they are 2
      throw new TypeError(
        `Cannot judge sentiment with ${folder} as it must have 2 classes: it has ${labels.length}`,
      );
    }
    const encoder = await Encoder.load(device, folder, config, { ...options, classes: 2 });
    return new SentimentModel(encoder, /^pos/i.test(labels[0] ?? "") ? 0 : 1);
  }

  /** The two logits of each text, in the model's order. */
  logits(texts: readonly string[]): Promise<Float32Array[]> {
    const { reader, dims: { C }, memory, weights } = this.#encoder;
    const { before, last } = weights.classifier!;
    const read = texts.map((text) => reader.read(text));
    return this.#encoder.run(read, 2, ({ hidden }, { B, T }) => {
      const { device } = memory;
      const index = memory.alloc(B, "encoder first rows", "u32");
      device.write(index, Uint32Array.from({ length: B }, (_, b) => b * T));
      const [first, pre, act] = ["first", "head pre", "head act"]
        .map((name) => memory.alloc(B * C, `encoder ${name}`));
      const out = memory.alloc(2 * B, "encoder logits");
      gatherRows(device, { x: hidden, index, out: first }, { N: B, R: B * T, C });
      linear(device, { x: first, by: before, out: pre }, { M: B, from: C, to: C });
      relu(device, { x: pre, out: act }, { N: B * C });
      linear(device, { x: act, by: last, out }, { M: B, from: C, to: 2 });
      return out;
    });
  }

  /** 2p - 1 of each text, in [-1, 1], where p is the probability of the positive class. */
  async score(texts: readonly string[]): Promise<number[]> {
    const sign = this.positive === 1 ? 1 : -1;
    const logits = await this.logits(texts);
    return logits.map(([a, b]) => Math.tanh(sign * (b - a) / 2)); // 2 softmax - 1 of two logits
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
  }
}

/** The object in a file that may be missing. */
type Json = Record<string, unknown> | undefined;

async function readConfig(folder: string): Promise<EncoderConfig> {
  const path = `${folder}/config.json`;
  const json = await readJson(path);
  if (json === undefined) {
    throw new Deno.errors.NotFound(
      `Cannot open the encoder ${folder} as it has no config.json; give a folder as ` +
        "save_pretrained writes it",
    );
  }
  return parseEncoderConfig(json, path);
}
