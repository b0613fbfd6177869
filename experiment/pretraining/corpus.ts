/**
 * The text that the default model is pretrained on: glosses of WordNet and sentences of our own, in
 * fixed shares and random order. The same recipe gives the same documents, byte for byte.
 * @module
 */
import { END_OF_TEXT, GPT2_WORDS } from "../../model/tokenizer/bpe.ts";
import { parseColors } from "../../tasks/colors.ts";
import table from "../../tasks/data/colors.csv" with { type: "text" };
import { Random } from "./random.ts";
import { analogies } from "./subjects/analogies.ts";
import { answers } from "./subjects/answers.ts";
import { antonyms } from "./subjects/antonyms.ts";
import { arithmetic } from "./subjects/arithmetic.ts";
import { categories } from "./subjects/categories.ts";
import { colors, type Mixture } from "./subjects/colors.ts";
import { everyday } from "./subjects/everyday.ts";
import { sentiment } from "./subjects/sentiment.ts";
import { type Gloss, readGlosses } from "./wordnet.ts";

/** The subjects of the corpus. */
export type Subject =
  | "glosses"
  | "colors"
  | "antonyms"
  | "categories"
  | "sentiment"
  | "arithmetic"
  | "analogies"
  | "answers"
  | "everyday";

/** What {@link buildCorpus} needs to know; a recipe has it. */
export interface CorpusOptions {
  /** Any integer; chooses words and order. */
  seed: number;
  /** Characters in all, about; documents are whole, so that each subject may end one past its share. */
  characters: number;
  /** The share of each subject in the characters; they are scaled to sum to 1. */
  mixture: Record<Subject, number>;
  /** The share of colour documents that ask for something about two colours, 0 to 1. */
  asked: number;
}

/** What the corpus is made from; tests give their own. */
export interface Sources {
  glosses: readonly Gloss[];
  mixtures: readonly Mixture[];
}

/** One gloss as a document: the word with its definition, then its examples. */
export function glossDocument(gloss: Gloss, random: Random): string {
  const { word, definition, examples } = gloss;
  const head = random.pick([`${word}: ${definition}`, `${word} means ${definition}`, definition]);
  return [`${head}.`, ...examples].join(random.chance(0.5) ? "\n" : " ");
}

/**
 * Builds the documents in their order of training. When a share asks for more glosses than there are,
 * they start again in a new order.
 *
 * @throws RangeError when a share is negative or all are zero
 */
export function buildCorpus(options: CorpusOptions, sources: Sources = openSources()): string[] {
  return mixDocuments(options, (subject, random) => writer(subject, options, sources, random));
}

/**
 * Writes the documents of each subject up to its share, and gives all in random order.
 *
 * @param writerOf gives what writes the next document of a subject, from the random numbers given
 * @throws RangeError when a share is negative or all are zero
 */
export function mixDocuments<S extends string>(
  options: Pick<CorpusOptions, "seed" | "characters"> & { mixture: Record<S, number> },
  writerOf: (subject: S, random: Random) => () => string,
): string[] {
  const shares = Object.entries(options.mixture) as [S, number][];
  const total = shares.reduce((sum, [, share]) => sum + share, 0);
  if (!(total > 0) || shares.some(([, share]) => !(share >= 0))) {
    throw new RangeError(
      `Cannot build the corpus as its shares must be 0 or more and not all 0: ` +
        shares.map(([subject, share]) => `${subject} ${share}`).join(", "),
    );
  }
  const documents: string[] = [];
  shares.forEach(([subject, share], at) => {
    // A generator a subject: changing one share leaves the text of the other subjects as it was.
    const random = new Random(options.seed * 1000 + at);
    const next = writerOf(subject, random);
    for (let left = options.characters * share / total; left > 0;) {
      const document = next();
      documents.push(document);
      left -= document.length + 1;
    }
  });
  return new Random(options.seed).shuffle(documents);
}

function writer(
  subject: Subject,
  { asked }: CorpusOptions,
  { glosses, mixtures }: Sources,
  random: Random,
): () => string {
  if (subject === "glosses") {
    let queue: Gloss[] = [];
    return () => {
      if (queue.length === 0) queue = random.shuffle([...glosses]);
      return glossDocument(queue.pop()!, random);
    };
  }
  const write = {
    colors: colors(mixtures, asked),
    antonyms,
    categories,
    sentiment,
    arithmetic,
    analogies,
    answers,
    everyday,
  }[subject];
  return () => write(random);
}

/** What {@link encodeCorpus} needs of a tokenizer; `@huggingface/tokenizers` has it. */
export interface Encoder {
  encode(text: string): { ids: number[] };
  token_to_id(token: string): number | undefined;
}

/** How a token stream is made. */
export interface EncodeOptions {
  seed: number;
  /**
   * The share of documents cut once behind a space, half of them behind the last, 0 to 1. The two parts are encoded apart,
   * so that a space becomes a token of its own and the word behind it has none: this is how a prompt
   * that ends in a space meets its answer.
   */
  cut: number;
}

/**
 * Encodes documents to one stream of tokens, with end-of-text behind each.
 *
 * @throws TypeError when the tokenizer has no end-of-text token
 */
export function encodeCorpus(
  documents: readonly string[],
  encoder: Encoder,
  { seed, cut }: EncodeOptions,
): Uint32Array {
  const end = encoder.token_to_id(END_OF_TEXT);
  if (end === undefined) {
    throw new TypeError(
      `Cannot encode the corpus as the tokenizer lacks its end token: ${END_OF_TEXT}`,
    );
  }
  const random = new Random(seed);
  // Byte-level BPE never joins across words, so each different word is encoded once.
  const known = new Map<string, number[]>();
  const tokens: number[] = [];
  const push = (text: string): void => {
    for (const [word] of text.matchAll(GPT2_WORDS)) {
      let ids = known.get(word);
      if (!ids) known.set(word, ids = encoder.encode(word).ids);
      for (const id of ids) tokens.push(id);
    }
  };
  for (const document of documents) {
    const spaces = random.chance(cut) ? [...document.matchAll(/ (?=\S)/g)] : [];
    // An answer often stands behind the last space, so that half of the cuts are made there.
    const space = random.chance(0.5) ? spaces.at(-1) : spaces[random.integer(0, spaces.length - 1)];
    const at = space ? space.index + 1 : 0;
    push(document.slice(0, at));
    push(document.slice(at));
    tokens.push(end);
  }
  return Uint32Array.from(tokens);
}

/** The mixtures of the colors task, trained and held out alike, each pair once. */
export function taskMixtures(): Mixture[] {
  const { train, heldout } = parseColors(table, "tasks/data/colors.csv");
  return [...train, ...heldout].filter((_, i) => i % 2 === 0) // each pair stands there in both orders
    .map(({ a, b, answer }) => ({ a, b, mix: answer }));
}

/** The sources as the repository has them: WordNet and the table of the colors task. */
export function openSources(): Sources {
  return { glosses: readGlosses(), mixtures: taskMixtures() };
}

/**
 * Words that become single tokens with and without a space before them: every colour, so that an
 * answer is one draw.
 */
export function wholeWords(mixtures: readonly Mixture[]): string[] {
  return [...new Set(mixtures.flatMap(({ a, b, mix }) => [a, b, mix]))].sort();
}
