/** Texts as means of the vectors of a file whose keys may be phrases, `_` between their words. @module */
import type { TextEmbedder } from "../reward.ts";
import { type Unit, unitsOf, withoutDigits } from "./units.ts";
import type { VectorRows } from "./vector_rows.ts";

/** Embeds texts by a file of vectors: the mean of the longest keys that their words make, from the left. */
export class TextVectors implements TextEmbedder {
  readonly name: string;
  readonly dimensions: number;
  readonly #rows: VectorRows;
  /** Words of the longest key that begins with a word. */
  readonly #longest = new Map<string, number>();

  constructor(rows: VectorRows, name: string) {
    this.name = name;
    this.dimensions = rows.dimensions;
    this.#rows = rows;
    for (const key of rows.rowOf.keys()) {
      if (!/[_-]/.test(key)) continue;
      const parts = key.split(/[_-]/), [first] = parts;
      if (parts.length > (this.#longest.get(first) ?? 1)) this.#longest.set(first, parts.length);
    }
  }

  /** How many keys are known. */
  get size(): number {
    return this.#rows.rowOf.size;
  }

  /** One vector (D) a text: the mean of its keys' vectors; null where none is known. */
  embed(texts: readonly string[]): Promise<(Float32Array | null)[]> {
    return Promise.resolve(texts.map((text) => {
      const keys = this.keysOf(text);
      if (keys.length === 0) return null;
      const mean = new Float32Array(this.dimensions);
      for (const key of keys) this.#rows.addTo(mean, this.#rows.rowOf.get(key)!, 1 / keys.length);
      return mean;
    }));
  }

  /**
   * The keys that a text is taken apart into: at each word the longest that is known, in lower case or else
   * as it is written, its words joined by `_` or as they stand (`navy-blue`); of a number with two digits or
   * more also with # for each digit, as Numberbatch has it. Words without a key are left out.
   */
  keysOf(text: string): string[] {
    const units = unitsOf(text), keys: string[] = [];
    for (let at = 0; at < units.length;) {
      const found = this.#longestAt(units, at);
      if (found) keys.push(found.key);
      at += found?.words ?? 1;
    }
    return keys;
  }

  #longestAt(units: readonly Unit[], at: number): { key: string; words: number } | undefined {
    const { word } = units[at], numbered = withoutDigits(word.toLowerCase());
    const most = Math.max(...[word, word.toLowerCase(), numbered]
      .map((start) => this.#longest.get(start) ?? 1));
    for (let words = Math.min(most, units.length - at); words >= 1; words--) {
      const span = units.slice(at, at + words);
      const gaps = span.map(({ word }) => word).join("_");
      const written = span.map(({ word, joint }, i) => i === 0 ? word : joint + word).join("");
      const key = [gaps, written].flatMap((form) => [form.toLowerCase(), form])
        .flatMap((form) => [form, withoutDigits(form)])
        .find((form) => this.#rows.rowOf.has(form));
      if (key !== undefined) return { key, words };
    }
    return undefined;
  }
}
