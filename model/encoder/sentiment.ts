/** Classifiers of sentiment. @module */
import type { Device, Tensor } from "../../kernels/device.ts";
import { relu } from "../../kernels/relu.ts";
import { gatherRows } from "../../kernels/rows.ts";
import { Encoder, type EncoderOptions, type EncoderSource } from "./encoder.ts";
import { linear } from "./forward.ts";

/**
 * A DistilBERT with a sequence classification head of two classes (Sanh et al. 2019,
 * arXiv:1910.01108), such as the SST-2 model: [CLS] row, matrix, ReLU, matrix. It is a
 * `SentimentClassifier` of the rewards.
 */
export class SentimentModel implements Disposable {
  /** What it is called: the folder that it was read from. */
  readonly name: string;
  #encoder: Encoder;

  /** `positive`: index of the positive class. */
  private constructor(encoder: Encoder, readonly positive: 0 | 1) {
    this.#encoder = encoder;
    this.name = encoder.name;
  }

  /**
   * Fills a classifier from `source`. The positive class is the one whose label starts with "pos", or the
   * second where neither does.
   * @throws {TypeError} when the model is no DistilBERT, or has not two classes
   * @throws {Error} where weights or vocabulary do not fit the config
   */
  static async create(
    device: Device,
    source: EncoderSource,
    options: EncoderOptions = {},
  ): Promise<SentimentModel> {
    const { name, config: { family, labels } } = source;
    if (family !== "distilbert") {
      throw new TypeError(
        `Cannot classify with ${name} as it must be a DistilBERT: its model_type is ${family}`,
      );
    }
    if (labels.length !== 2 && labels.length !== 0) { // transformers writes no labels when they are 2
      throw new TypeError(
        `Cannot score sentiment with ${name} as it must have 2 classes: it has ${labels.length}`,
      );
    }
    const encoder = await Encoder.create(device, source, { ...options, classes: 2 });
    return new SentimentModel(encoder, /^pos/i.test(labels[0] ?? "") ? 0 : 1);
  }

  /** The two logits of each text, in the model's order. */
  logits(texts: readonly string[]): Promise<Float32Array[]> {
    const { reader, dims: { C }, memory, weights } = this.#encoder;
    const { before, last } = weights.classifier!;
    const read = texts.map((text) => reader.read(text));
    return this.#encoder.run(read, 2, ({ hidden }, { B, T }) => {
      const { device } = memory;
      const { index, first, pre, act, out } = this.#headTensors(B);
      device.write(index, Uint32Array.from({ length: B }, (_, b) => b * T));
      gatherRows(device, { x: hidden, index, out: first }, { N: B, R: B * T, C });
      linear(device, { x: first, by: before, out: pre }, { M: B, inFeatures: C, outFeatures: C });
      relu(device, { x: pre, out: act }, { N: B * C });
      linear(device, { x: act, by: last, out }, { M: B, inFeatures: C, outFeatures: 2 });
      return out;
    });
  }

  /** 2p - 1 of each text, in [-1, 1], where p is the probability of the positive class. */
  async score(texts: readonly string[]): Promise<number[]> {
    const sign = this.positive === 1 ? 1 : -1;
    const logits = await this.logits(texts);
    return logits.map(([a, b]) => Math.tanh(sign * (b - a) / 2)); // 2 softmax - 1 of two logits
  }

  /** Preallocates the memory of classifying `texts` texts of at most `tokens` tokens. */
  reserve(texts: number, tokens: number): void {
    const { B } = this.#encoder.reserve(texts, tokens);
    this.#headTensors(B);
  }

  /** What the head of a batch works on. */
  #headTensors(B: number): Record<"index" | "first" | "pre" | "act" | "out", Tensor> {
    const { memory, dims: { C } } = this.#encoder;
    const rows = (name: string) => memory.alloc(B * C, `encoder ${name}`, "f32", "activations");
    return {
      index: memory.alloc(B, "encoder first rows", "u32", "activations"),
      first: rows("first"),
      pre: rows("head pre"),
      act: rows("head act"),
      out: memory.alloc(2 * B, "encoder logits", "f32", "activations"),
    };
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
  }
}
