/**
 * The words of VADER (Hutto and Gilbert 2014): what each says, what strengthens, weakens and negates. The
 * numbers are those of vaderSentiment 3.3.2, MIT licence, see `assets/vader/`.
 * @module
 */
import { assetUrl } from "../../base/assets.ts";
import { readBytes } from "../../base/bytes.ts";

/** What a text is looked up in. */
export interface Lexicon {
  /** From -4 to 4, by a lower-case word or an emoticon. */
  readonly valence: ReadonlyMap<string, number>;
  /** A name for each emoji of one code point. */
  readonly emoji: ReadonlyMap<string, string>;
}

/** Reads the lexicon that ships with the project. @throws {Error} where it cannot be had */
export async function loadLexicon(): Promise<Lexicon> {
  const bytes = await readBytes(assetUrl("vader/lexicon.json"), "the lexicon of VADER");
  const { valence, emoji } = JSON.parse(new TextDecoder().decode(bytes));
  return { valence: new Map(Object.entries(valence)), emoji: new Map(Object.entries(emoji)) };
}

const list = (text: string): string[] => text.trim().split(/\s+/);

/** How much a degree word adds to the word behind it. */
export const DEGREE = 0.293;

const STRONGER = list(`
  absolutely amazingly awfully completely considerable considerably decidedly deeply effing enormous
  enormously entirely especially exceptional exceptionally extreme extremely fabulously flipping flippin
  frackin fracking fricking frickin frigging friggin fully fuckin fucking fuggin fugging greatly hella
  highly hugely incredible incredibly intensely major majorly more most particularly purely quite really
  remarkably so substantially thoroughly total totally tremendous tremendously uber unbelievably unusually
  utter utterly very`);
const WEAKER = list(`
  almost barely hardly kinda kindof kind-of less little marginal marginally occasional occasionally partly
  scarce scarcely slight slightly somewhat sorta sortof sort-of`);

/** Degree words, and phrases of two, with what they add where the word behind them is above 0. */
export const DEGREES: ReadonlyMap<string, number> = new Map([
  ...STRONGER.map((word) => [word, DEGREE] as const),
  ...[...WEAKER, "just enough", "kind of", "sort of"].map((word) => [word, -DEGREE] as const),
]);

const NEGATIONS = new Set([
  ...list(
    `ain aren can couldn daren didn doesn don hadn hasn haven isn mightn mustn needn oughtn shan
    shouldn wasn weren won wouldn`,
  ).flatMap((start) => [`${start}t`, `${start}'t`]),
  ...list(
    `cannot neither never none nope nor not nothing nowhere uhuh uh-uh without rarely seldom despite`,
  ),
]);

/** Whether a lower-case word negates what follows. */
export const negates = (word: string): boolean => NEGATIONS.has(word) || word.includes("n't");

/** Phrases whose value is not that of their words. */
export const PHRASES: ReadonlyMap<string, number> = new Map([
  ["the shit", 3],
  ["the bomb", 3],
  ["bad ass", 1.5],
  ["badass", 1.5],
  ["bus stop", 0],
  ["yeah right", -2],
  ["kiss of death", -1.5],
  ["to die for", 3],
  ["beating heart", 3.5],
]);
