/**
 * VADER (Hutto and Gilbert 2014, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
 * Media Text", ICWSM): the sentiment of a text by a lexicon and five rules: punctuation, capitals, degree
 * words, "but", and negation within three words. The compound value
 *   sum / sqrt(sum^2 + 15)
 * is in (-1, 1). What is computed is what vaderSentiment 3.3.2 computes, its particularities included.
 * @module
 */
import type { SentimentClassifier } from "../reward.ts";
import { type Lexicon, loadLexicon } from "./lexicon.ts";
import { isUpper, weighed, type Words } from "./rules.ts";
import { wordsOf } from "./split.ts";

/** What exclamation and question marks add. */
function emphasis(text: string): number {
  const count = (mark: string) => text.split(mark).length - 1;
  const questions = count("?");
  const asked = questions < 2 ? 0 : questions > 3 ? 0.96 : 0.18 * questions;
  return 0.292 * Math.min(4, count("!")) + asked;
}

/** Halves what comes before the first "but", and adds half to what comes after it. */
function contrast(words: readonly string[], values: number[]): void {
  const but = words.indexOf("but");
  if (but < 0) return;
  for (let i = 0; i < values.length; i++) {
    // The package looks a value's place up by the value: of equal ones the first is changed again.
    const at = values.indexOf(values[i]);
    if (at !== but) values[at] *= at < but ? 0.5 : 1.5;
  }
}

/** The rules over a lexicon. */
export class Vader implements SentimentClassifier {
  readonly name = "vader";

  constructor(readonly lexicon: Lexicon) {}

  /** Reads the lexicon that ships with the project. */
  static async load(): Promise<Vader> {
    return new Vader(await loadLexicon());
  }

  /** The compound value of each text, in (-1, 1); 0 where no word of it is known. */
  score(texts: readonly string[]): Promise<number[]> {
    return Promise.resolve(texts.map((text) => this.#compound(text)));
  }

  #compound(given: string): number {
    const text = this.#named(given);
    const written = wordsOf(text);
    const upper = written.filter(isUpper).length;
    const words: Words = {
      written,
      lower: written.map((word) => word.toLowerCase()),
      mixed: upper > 0 && upper < written.length,
      valence: this.lexicon.valence,
    };
    const values = written.map((_, i) => weighed(words, i));
    contrast(words.lower, values);
    const plain = values.reduce((sum, value) => sum + value, 0);
    const sum = plain + Math.sign(plain) * emphasis(text);
    return sum / Math.sqrt(sum * sum + 15);
  }

  /** Each emoji becomes its name, parted from a word before it, not from one behind it. */
  #named(text: string): string {
    let out = "", apart = true;
    for (const sign of text) {
      const name = this.lexicon.emoji.get(sign);
      out += name === undefined ? sign : apart ? name : ` ${name}`;
      apart = name === undefined && sign === " ";
    }
    return out;
  }
}
