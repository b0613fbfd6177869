/**
 * The text of the second model: WordNet's glosses, examples and pointers, and what the generators
 * beside this file write. Nearly every document is written once.
 * @module
 */
import { glossDocument, mixDocuments, taskMixtures } from "../corpus.ts";
import { Random } from "../random.ts";
import { type Gloss, readGlosses, readPairs, type WordPairs } from "../wordnet.ts";
import type { Mixture } from "../subjects/colors.ts";
import { analogies } from "./analogies.ts";
import { arithmetic } from "./arithmetic.ts";
import { categories } from "./categories.ts";
import { colorMixtures } from "./colors.ts";
import { copies } from "./copies.ts";
import { dialogue } from "./dialogue.ts";
import { echoes } from "./echoes.ts";
import { sentence, story } from "./lexicon.ts";
import { moods } from "./moods.ts";
import { opposites } from "./opposites.ts";
import { reviews } from "./reviews.ts";
import { sums } from "./sums.ts";
import { ANSWERED_KINDS, ANSWERED_OPPOSITES, ANSWERED_RELATIONS } from "./words.ts";

/** The subjects of the second model's corpus. */
export type SmallSubject =
  | "glosses"
  | "colors"
  | "opposites"
  | "categories"
  | "copies"
  | "moods"
  | "arithmetic"
  | "analogies"
  | "dialogue"
  | "reviews"
  | "everyday"
  | "long"
  | "sums"
  | "echoes";

/** What {@link buildSmallCorpus} needs to know; a recipe has it. */
export interface SmallCorpusOptions {
  /** Any integer; chooses words and order. */
  seed: number;
  /** Characters in all, about; documents are whole. */
  characters: number;
  /** The share of each subject in the characters; they are scaled to sum to 1. */
  mixture: Record<SmallSubject, number>;
  /** The share of two-colour documents that ask for something about two colours, 0 to 1. */
  asked: number;
}

/** What the corpus is made from; tests give their own. */
export interface SmallSources {
  glosses: readonly Gloss[];
  pairs: WordPairs;
  mixtures: readonly Mixture[];
}

/** One in about this many glosses is never trained on, by the length of its text. */
const HELD_OUT_GLOSSES = 50;
const isHeldOut = ({ word, definition, examples }: Gloss): boolean =>
  (word + definition + examples.join("")).length % HELD_OUT_GLOSSES === 7;
/** Characters of a long document, from and to. */
const LONG = [300, 900] as const;

/** Names of persons and of species, which say little, and what no default model should say. */
const LEFT_OUT =
  /\b(?:genus|family of|families of|order of|species|born in|sexual\w*|sex|slurs?|obscene|offensive|vulgar|vagina\w*|penis|genitals?|disparaging|prostitut\w*|rape|copulat\w*|intercourse|nude|slang|negro|jews?|nazi)\b|\d{4}/i;

/**
 * WordNet's glosses of words in lower case, the everyday ones twice, pairs of words that have no
 * answer of our own, and the table of the colors task.
 */
export function openSmallSources(): SmallSources {
  const everyday = new Set(readGlosses().map(({ word, definition }) => `${word} ${definition}`));
  const isPlain = ({ word, definition, examples }: Gloss) =>
    /^[a-z]+( [a-z]+)?$/.test(word) && !LEFT_OUT.test([word, definition, ...examples].join(" "));
  const glosses = readGlosses(undefined, false).filter(isPlain)
    .map((gloss) => ({ gloss, twice: everyday.has(`${gloss.word} ${gloss.definition}`) }));
  const { antonyms, kinds } = readPairs();
  const answered = new Set(ANSWERED_OPPOSITES.map(([word]) => word));
  const sorted = new Set(Object.values(ANSWERED_KINDS).flat());
  return {
    glosses: glosses.flatMap(({ gloss, twice }) => twice ? [gloss, gloss] : [gloss]),
    pairs: {
      antonyms: antonyms.filter(([word]) => !answered.has(word)),
      kinds: kinds.filter(([word]) => !sorted.has(word)),
    },
    mixtures: taskMixtures(),
  };
}

/**
 * Builds the documents in their order of training, the same for the same options. None is in
 * `heldout`, which {@link buildHeldout} gives.
 *
 * @throws RangeError when a share is negative or all are zero
 */
export function buildSmallCorpus(
  options: SmallCorpusOptions,
  sources: SmallSources,
  heldout: readonly { documents: readonly string[] }[] = [],
): string[] {
  const kept = new Set(heldout.flatMap(({ documents }) => documents));
  const glosses = sources.glosses.filter((gloss) => !isHeldOut(gloss));
  return mixDocuments(options, (subject, random) => {
    const write = writersOf(options, { ...sources, glosses }, random)[subject];
    return () => {
      for (;;) {
        const document = write(random);
        if (!kept.has(document)) return document;
      }
    };
  });
}

/**
 * Documents that are kept from training, by subject, each different from the others: the same for
 * every stage of a recipe, so that their losses can be compared.
 *
 * @param each characters of each subject, about
 */
export function buildHeldout(
  { asked, mixture }: Pick<SmallCorpusOptions, "asked" | "mixture">,
  sources: SmallSources,
  each: number,
): { subject: SmallSubject; documents: string[] }[] {
  const glosses = sources.glosses.filter(isHeldOut);
  const subjects = Object.keys(mixture) as SmallSubject[];
  return subjects.filter((subject) => mixture[subject] > 0).map((subject, at) => {
    const random = new Random(900_000 + at); // apart from those of training
    const write = writersOf({ asked }, { ...sources, glosses }, random)[subject];
    const documents = new Set<string>();
    for (let left = each; left > 0;) {
      const document = write(random);
      documents.add(document);
      left -= document.length + 1;
    }
    return { subject, documents: [...documents] };
  });
}

type Writer = (random: Random) => string;

function writersOf(
  { asked }: Pick<SmallCorpusOptions, "asked">,
  { glosses, pairs, mixtures }: SmallSources,
  random: Random,
): Record<SmallSubject, Writer> {
  let queue: Gloss[] = [];
  const gloss = (): string => {
    if (queue.length === 0) queue = random.shuffle([...glosses]);
    return glossDocument(queue.pop()!, random);
  };
  const examples = glosses.flatMap((each) => each.examples)
    .filter((text) => text.length > 12 && text.length < 60 && !text.includes("'"));
  const words = [
    ...new Set([
      ...ANSWERED_OPPOSITES.map(([word]) => word),
      ...Object.values(ANSWERED_KINDS).flat(),
    ]),
  ];
  const everyday: Writer = (random) =>
    random.chance(0.6)
      ? story(random)
      : Array.from({ length: random.integer(1, 4) }, () => sentence(random)).join(" ");
  const long: Writer = (random) => {
    const parts: string[] = [], write = random.pick([story, reviews, gloss, everyday, dialogue]);
    for (let left = random.integer(...LONG); left > 0;) {
      parts.push(write(random));
      left -= parts.at(-1)!.length + 1;
    }
    return parts.join("\n");
  };
  return {
    glosses: gloss,
    colors: colorMixtures(mixtures, { asked, three: 0.25 }),
    opposites: opposites(ANSWERED_OPPOSITES, pairs.antonyms),
    categories: categories(ANSWERED_KINDS, pairs.kinds),
    copies: copies(words, examples),
    moods,
    arithmetic,
    analogies: analogies(ANSWERED_RELATIONS),
    dialogue,
    reviews,
    everyday,
    long,
    sums,
    echoes: echoes(words),
  };
}

/**
 * Words that become single tokens with and without a space before them: every answer of one word.
 */
export function smallWholeWords(mixtures: readonly Mixture[]): string[] {
  return [
    ...new Set([
      ...mixtures.flatMap(({ a, b, mix }) => [a, b, mix]),
      ...ANSWERED_OPPOSITES.slice(0, 94).flat(),
      ...Object.keys(ANSWERED_KINDS).filter((kind) => !kind.includes(" ")),
      ...ANSWERED_RELATIONS.flatMap((pairs) => pairs.map(([, b]) => b)),
      ...Array.from({ length: 101 }, (_, n) => String(n)),
    ]),
  ].sort();
}
