/**
 * What encoders share: the network, its tokenizer and its memory. Forward only.
 * @module
 */
import type { Device, FloatArray, Tensor } from "../../kernels/device.ts";
import { Scope } from "../../kernels/scope.ts";
import type { MatrixDtype } from "../layout.ts";
import type { TensorSource } from "../tensor_source.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { Workspace } from "../workspace.ts";
import type { EncoderConfig, EncoderDims } from "./config.ts";
import { encode, type Encoded, type TextBatch } from "./forward.ts";
import { type EncodedText, MAX_ROWS, textBatches, TextReader } from "./texts.ts";
import { type EncoderWeights, readEncoderWeights } from "./weights.ts";

/** What an encoder is made of; a folder holds all of it. */
export interface EncoderSource {
  /** What the encoder is called. */
  readonly name: string;
  readonly config: EncoderConfig;
  readonly tokenizer: Tokenizer;
  readonly weights: TensorSource;
}

/** Settings of an encoder that are no part of its weights. */
export interface EncoderOptions {
  /**
   * How matrices and embeddings are stored: "f16" takes half the memory, rounds each number to 11 bits
   * once, and computes in f32. Default "f32".
   */
  matrixDtype?: MatrixDtype;
}

/** An encoder on a device. */
export class Encoder implements Disposable {
  readonly name: string;
  readonly dims: EncoderDims;
  readonly memory: Workspace;
  #scope: Scope;

  private constructor(
    scope: Scope,
    { name, config }: EncoderSource,
    readonly weights: EncoderWeights,
    readonly reader: TextReader,
  ) {
    this.name = name;
    this.dims = config.dims;
    this.memory = new Workspace(scope.device);
    this.#scope = scope;
  }

  /**
   * Fills an encoder from `source`. Texts are cut after `longest` tokens, or as many as the model has
   * positions; `classes` > 0 asks for a classifier's head.
   * @throws {Error} where weights or vocabulary do not fit the config
   */
  static async create(
    device: Device,
    source: EncoderSource,
    { longest = Infinity, ...storage }: EncoderOptions & { longest?: number; classes?: number } =
      {},
  ): Promise<Encoder> {
    const { config, tokenizer } = source;
    const reader = new TextReader(tokenizer, Math.min(config.dims.P, longest));
    const scope = new Scope(device);
    try {
      const weights = await readEncoderWeights(scope, source.weights, config, storage);
      return new Encoder(scope, source, weights, reader);
    } catch (error) {
      scope[Symbol.dispose]();
      throw error;
    }
  }

  /** Preallocates the memory of the largest batch of so many texts. */
  reserve(texts: number, tokens: number): TextBatch {
    const T = Math.min(tokens + 2, this.reader.most); // [CLS] and [SEP]
    const B = Math.min(texts, Math.max(1, Math.floor(MAX_ROWS / T)));
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
    const { device } = this.memory;
    for (const { which, ...batch } of textBatches(distinct)) {
      let last!: Tensor;
      // A program, though it runs once: each launch of its own would be a submission of its own.
      using program = device.record("encode", () => last = end(this.encode(batch), batch));
      program.run();
      const [read] = await device.read(last) as FloatArray[];
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
