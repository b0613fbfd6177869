/** Vectors of texts from a server and a cache. @module */
import { answerKey } from "../servers/answer_lines.ts";
import { askAll } from "../servers/ask.ts";
import type { Connection } from "../servers/connection.ts";
import { AnswerError } from "../servers/errors.ts";
import type { Servers } from "../servers/servers.ts";
import { readVectors, textVector, vectorText } from "./vectors.ts";

const TEXTS = 32; // of one request
const MAX_BYTES = 2 ** 20 + TEXTS * 2 ** 17; // 8192 numbers of 16 characters for each text

/** A text, and the key of its vector in the cache. */
interface Keyed {
  text: string;
  key: string;
}

/** The space of one model. */
export class Space {
  /** Undefined until the first answer. */
  dimensions: number | undefined;

  constructor(
    readonly connection: Connection,
    readonly model: string,
    readonly servers: Servers,
  ) {}

  /** One vector a text; undefined where there is none, unless `all` must be there. */
  async vectors(texts: readonly string[], all = false): Promise<(Float32Array | undefined)[]> {
    const keyed = await Promise.all(texts.map(async (text): Promise<Keyed> => ({
      text,
      key: await answerKey(["embedding", this.connection.name, this.model, text]),
    })));
    const found = new Map<string, Float32Array>(), missing: Keyed[] = [];
    for (const one of keyed) {
      const vector = textVector(this.servers.cache.take(one.key) ?? "", this.dimensions);
      if (vector) found.set(one.text, vector);
      else missing.push(one);
    }
    const batches = Array.from(
      { length: Math.ceil(missing.length / TEXTS) },
      (_, i) => missing.slice(i * TEXTS, (i + 1) * TEXTS),
    );
    await askAll(batches, async (batch, signal) => {
      const vectors = await this.#ask(batch, signal).catch((error) => {
        if (!all && error instanceof AnswerError) return [];
        throw error;
      });
      vectors.forEach((vector, i) => found.set(batch[i].text, vector));
    }, this.servers.signal);
    return texts.map((text) => found.get(text));
  }

  async #ask(batch: readonly Keyed[], signal: AbortSignal): Promise<Float32Array[]> {
    const { connection, model, servers: { cache }, dimensions } = this;
    const vectors = await connection.ask({
      path: "/embeddings",
      body: { model, input: batch.map(({ text }) => text), encoding_format: "float" },
      maxBytes: MAX_BYTES,
      read: (answer) => readVectors(answer, batch.length, dimensions),
      signal,
    });
    for (const [i, { key }] of batch.entries()) await cache.put(key, model, vectorText(vectors[i]));
    return vectors;
  }
}
