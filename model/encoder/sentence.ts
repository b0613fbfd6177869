/** Sentence encoders: a text becomes a vector. @module */
import type { Device } from "../../kernels/device.ts";
import { meanRows } from "../../kernels/mean_rows.ts";
import { Encoder, type EncoderOptions, type EncoderSource } from "./encoder.ts";

/**
 * A sentence encoder such as all-MiniLM-L6-v2 (Reimers and Gurevych 2019, arXiv:1908.10084): the mean
 * of a BERT's last hidden states, scaled to length 1. It is a `TextEmbedder` of the rewards.
 */
export class SentenceEmbedder implements Disposable {
  /** What it is called: the folder that it was read from. */
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
   * Fills an embedder from `source`. Texts are cut after `longest` tokens, [CLS] and [SEP] included, 3 or
   * more; default as many as the model has positions.
   * @throws {Error} where weights or vocabulary do not fit the config
   */
  static async create(
    device: Device,
    source: EncoderSource,
    options: EncoderOptions & { longest?: number } = {},
  ): Promise<SentenceEmbedder> {
    return new SentenceEmbedder(await Encoder.create(device, source, options));
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
      const out = memory.alloc(B * C, MEANS, "f32", "activations");
      meanRows(memory.device, { x: hidden, length, out }, { B, T, C });
      return out;
    });
    let next = 0;
    return read.map((text) => text.known ? toUnit(vectors[next++]) : null);
  }

  /** Preallocates the memory of embedding `texts` texts of at most `tokens` tokens. */
  reserve(texts: number, tokens: number): void {
    const { B } = this.#encoder.reserve(texts, tokens);
    this.#encoder.memory.alloc(B * this.dimensions, MEANS, "f32", "activations");
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
