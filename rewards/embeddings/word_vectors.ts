/** A text as the mean of its words' vectors. @module */
import { assetUrl } from "../../base/assets.ts";
import { readBytes } from "../../base/bytes.ts";
import type { TextEmbedder } from "../reward.ts";
import { parseWordFile, type WordTable } from "./word_file.ts";

/** Embeds texts by a table of word vectors, one vector a word, whatever stands beside it. */
export class WordVectors implements TextEmbedder {
  readonly name: string;
  readonly dimensions: number;
  #row: ReadonlyMap<string, number>;
  #table: WordTable;

  constructor(table: WordTable, name: string) {
    this.name = name;
    this.dimensions = table.dimensions;
    this.#table = table;
    this.#row = new Map(table.words.map((word, i) => [word, i]));
  }

  /** How many words are known. */
  get size(): number {
    return this.#row.size;
  }

  /** True for a lower-case word that has a vector. */
  has(word: string): boolean {
    return this.#row.has(word);
  }

  /** One vector (D) a text: the mean of its known words' vectors; null where none is known. */
  embed(texts: readonly string[]): Promise<(Float32Array | null)[]> {
    return Promise.resolve(texts.map((text) => this.#mean(wordsOf(text))));
  }

  #mean(words: readonly string[]): Float32Array | null {
    const { dimensions: D, scale, values } = this.#table;
    const rows = words.flatMap((word) => this.#row.get(word) ?? []);
    if (rows.length === 0) return null;
    const mean = new Float32Array(D);
    for (const row of rows) {
      const share = scale[row] / rows.length;
      for (let d = 0; d < D; d++) mean[d] += share * values[row * D + d];
    }
    return mean;
  }
}

/** The words of a text: lower-cased, everything but a-z is a gap. "Navy-blue!" is navy, blue. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/[^a-z]+/).filter((word) => word !== "");
}

/** The word vectors that ship with the project. */
export const WORD_VECTORS: URL = assetUrl("words/glove-50d.bin");

/**
 * Reads a file of word vectors from a path, or from a file: or https: address.
 * @throws Error where it cannot be had, SyntaxError where it is broken.
 */
export async function loadWordVectors(file: string | URL = WORD_VECTORS): Promise<WordVectors> {
  const name = file instanceof URL ? file.pathname.split("/").slice(-3).join("/") : file;
  const bytes = await readBytes(file, `word vectors from ${name}`);
  return new WordVectors(parseWordFile(bytes, name), name);
}
