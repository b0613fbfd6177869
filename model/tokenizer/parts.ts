/**
 * The parts of a `tokenizer.json` that prepare a text: normalizers rewrite it, pre-tokenizers cut it into
 * words. Each does what Python's tokenizers 0.20 does; what is not here is refused by name.
 * @module
 */
import { BertNormalizer } from "npm:@huggingface/tokenizers@0.2.0";
import { byteCharacters } from "./bpe.ts";
import { compile, type Pattern, quoted, shown, SPACE, WORD } from "./patterns.ts";

/** An object of the file. */
export type Part = Readonly<Record<string, unknown>>;

/** A piece of a text on its way to become words. */
export interface Piece {
  text: string;
  /** True where the whole text begins. */
  first: boolean;
}
export type Normalize = (text: string) => string;
export type PreTokenize = (piece: Piece) => Piece[];
/** What a match becomes: dropped, a piece of its own, one with its neighbours. */
export type Behavior =
  | "Removed"
  | "Isolated"
  | "Contiguous"
  | "MergedWithPrevious"
  | "MergedWithNext";

/** How often the text that a file asks for may be longer than the one it is made of. */
const MAX_GROWTH = 64;
const MAX_PARTS = 64, MAX_TEXT = 256;

/** What the parts of one kind have asked for so far. */
export interface Budget {
  parts: number;
  growth: number;
}
export const newBudget = (): Budget => ({ parts: 0, growth: 1 });

/** An object with a type. @throws {TypeError} following "as" */
export function partOf(value: unknown, kind: string, budget: Budget): Part & { type: string } {
  const part = value as Part | null;
  if (typeof part !== "object" || part === null || typeof part.type !== "string") {
    throw new TypeError(`${kind} must be an object with a type: it is ${shown(value)}`);
  }
  if (++budget.parts > MAX_PARTS) {
    throw new TypeError(`${kind}s must be at most ${MAX_PARTS} parts: there are more`);
  }
  return part as Part & { type: string };
}

/** The parts of a sequence. */
export function listOf(part: Part, key: string): readonly unknown[] {
  if (Array.isArray(part[key])) return part[key];
  throw new TypeError(`${key} of a ${part.type} must be a list: it is ${shown(part[key])}`);
}

export function unknownPart(kind: string, type: string, known: readonly string[]): never {
  throw new TypeError(`the ${kind} must be one of ${known.join(", ")}: it is ${quoted(type)}`);
}

function textOf(part: Part, key: string, fallback?: string): string {
  const value = part[key] ?? fallback;
  if (typeof value === "string" && value.length <= MAX_TEXT) return value;
  throw new TypeError(
    `${key} of a ${part.type} must be a text of at most ${MAX_TEXT} characters: it is ${
      shown(value)
    }`,
  );
}

function flagOf(part: Part, key: string, fallback: boolean): boolean {
  const value = part[key] ?? fallback;
  if (typeof value === "boolean") return value;
  throw new TypeError(`${key} of a ${part.type} must be true or false: it is ${shown(value)}`);
}

function patternOf(part: Part): Pattern {
  const pattern = part.pattern as Record<string, unknown> | string | null | undefined;
  if (typeof pattern === "object" && pattern !== null) {
    if (typeof pattern.Regex === "string") return { Regex: pattern.Regex };
    if (typeof pattern.String === "string" && pattern.String !== "") {
      return { String: pattern.String };
    }
  }
  throw new TypeError(
    `the pattern of a ${part.type} must be a Regex, or a String with characters: it is ${
      shown(pattern)
    }`,
  );
}

/** What finds and what replaces it; `budget` bounds how much longer a text becomes. */
export function replacement(part: Part, budget: Budget): Normalize {
  const pattern = patternOf(part), content = textOf(part, "content");
  const regex = compile(pattern);
  const least = "String" in pattern ? pattern.String.length : regex.test("") ? 0 : 1;
  regex.lastIndex = 0;
  grow(budget, least === 0 ? content.length + 1 : content.length / least, part);
  return (text) => text.replaceAll(regex, () => content);
}

function grow(budget: Budget, factor: number, part: Part): void {
  budget.growth *= Math.max(1, factor);
  if (budget.growth <= MAX_GROWTH) return;
  throw new TypeError(
    `a text must not grow beyond ${MAX_GROWTH} times its length: with this ${part.type} it may ` +
      `grow ${Math.round(budget.growth)} times`,
  );
}

const NORMALIZERS: ReadonlyMap<string, (part: Part, budget: Budget) => Normalize> = new Map([
  ...["NFC", "NFD", "NFKC", "NFKD"].map((form) =>
    [form, () => (text: string) => text.normalize(form)] as const
  ),
  ["Lowercase", () => lowercase],
  ["StripAccents", () => (text) => text.replace(/\p{M}/gu, "")],
  ["Strip", (part) => {
    const ends = [
      ...(flagOf(part, "strip_left", true) ? [`^[${SPACE}]+`] : []),
      ...(flagOf(part, "strip_right", true) ? [`(?<![${SPACE}])[${SPACE}]+$`] : []),
    ];
    const regex = new RegExp(ends.join("|") || "(?!)", "gu");
    return (text) => text.replace(regex, "");
  }],
  ["Prepend", (part, budget) => {
    const prefix = textOf(part, "prepend");
    grow(budget, 1 + prefix.length / MAX_TEXT, part);
    return (text) => text === "" ? "" : prefix + text;
  }],
  ["Replace", replacement],
  ["BertNormalizer", (part, budget) => {
    grow(budget, 3, part);
    const strip = part.strip_accents ?? null;
    const bert = new BertNormalizer(
      {
        type: "BertNormalizer",
        clean_text: flagOf(part, "clean_text", true),
        handle_chinese_chars: flagOf(part, "handle_chinese_chars", true),
        lowercase: flagOf(part, "lowercase", true),
        strip_accents: strip === null ? null : flagOf(part, "strip_accents", false),
      } as unknown as ConstructorParameters<typeof BertNormalizer>[0],
    );
    const far = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu; // beyond its 16 bits
    const apart = part.handle_chinese_chars !== false;
    const lower = part.lowercase !== false;
    return (text) => {
      const spaced = apart ? text.replace(far, " $& ") : text;
      return bert.normalize(lower ? spaced.replaceAll("Σ", "σ") : spaced);
    };
  }],
  ["Sequence", (part, budget) => {
    const all = listOf(part, "normalizers").map((one) => normalizer(one, budget));
    return (text) => all.reduce((text, one) => one(text), text);
  }],
]);

/** Character by character, as Python's tokenizers: a sigma that ends a word stays as others. */
const lowercase: Normalize = (text) => text.replaceAll("Σ", "σ").toLowerCase();

/** The normalizer of a file. @throws {TypeError} naming what is not one; the message follows "as" */
export function normalizer(value: unknown, budget = newBudget()): Normalize {
  if (value === null || value === undefined) return (text) => text;
  const part = partOf(value, "a normalizer", budget);
  const make = NORMALIZERS.get(part.type) ??
    unknownPart("normalizer", part.type, [...NORMALIZERS.keys()]);
  return make(part, budget);
}

/** Cuts a piece at every match. */
function splitAt(
  { text, first }: Piece,
  regex: RegExp,
  behavior: Behavior,
  invert = false,
): Piece[] {
  const spans: { from: number; to: number; match: boolean }[] = [];
  const add = (from: number, to: number, match: boolean): void => {
    if (from === to) return;
    const last = spans.at(-1), hit = match !== invert;
    const joins = behavior === "Contiguous"
      ? last?.match === hit
      : behavior === "MergedWithPrevious"
      ? hit && last?.match === false
      : behavior === "MergedWithNext" && !hit && last?.match === true;
    if (!last || !joins) spans.push({ from, to, match: hit });
    else {
      last.to = to;
      // What a match was added to takes no further one, and the other way about.
      if (behavior !== "Contiguous") last.match = behavior === "MergedWithPrevious";
    }
  };
  let at = 0;
  for (const found of text.matchAll(regex)) {
    add(at, found.index, false);
    add(found.index, at = found.index + found[0].length, true);
  }
  add(at, text.length, false);
  return spans.filter(({ match }) => behavior !== "Removed" || !match).map(({ from, to }) => ({
    text: text.slice(from, to),
    first: first && from === 0,
  }));
}

const BEHAVIORS: readonly string[] = [
  ...["Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext"],
];

function behaviorOf(part: Part, fallback: Behavior): Behavior {
  const given = part.behavior ?? fallback;
  const found = BEHAVIORS.find((name) =>
    typeof given === "string" && name.toLowerCase() === given.replaceAll("_", "").toLowerCase()
  );
  return found as Behavior | undefined ??
    unknownPart(`behavior of a ${part.type}`, String(given), BEHAVIORS);
}

const regexOf = (source: string): RegExp => new RegExp(source, "gu");
/** GPT-2's cut (`GPT2_WORDS`), with Unicode's white space. */
const GPT2 = regexOf(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`,
);
const SPACES = regexOf(`[${SPACE}]+`), PUNCTUATION = regexOf("[\\p{P}!-/:-@\\[-`{-~]");
const WORDS = regexOf(`[${WORD}]+|[^${WORD}${SPACE}]+`), DIGIT = /\p{N}/gu;
const CHARACTERS = byteCharacters();

const PRE_TOKENIZERS: ReadonlyMap<string, (part: Part, budget: Budget) => PreTokenize> = new Map([
  ["ByteLevel", (part, budget) => {
    grow(budget, MAX_GROWTH / 2, part); // a second one would double every byte that is not ASCII
    const prefix = flagOf(part, "add_prefix_space", true), cut = flagOf(part, "use_regex", true);
    const encoder = new TextEncoder();
    return ({ text, first }) => {
      const whole = { text: prefix && !text.startsWith(" ") ? ` ${text}` : text, first };
      return (cut ? splitAt(whole, GPT2, "Isolated") : [whole]).map((piece) => ({
        ...piece,
        text: Array.from(encoder.encode(piece.text), (byte) => CHARACTERS[byte]).join(""),
      }));
    };
  }],
  ["Whitespace", () => (piece) => splitAt(piece, WORDS, "Removed", true)],
  ["WhitespaceSplit", () => (piece) => splitAt(piece, SPACES, "Removed")],
  [
    "BertPreTokenizer",
    () => (piece) =>
      splitAt(piece, SPACES, "Removed").flatMap((word) => splitAt(word, PUNCTUATION, "Isolated")),
  ],
  ["Digits", (part) => {
    const behavior = flagOf(part, "individual_digits", false) ? "Isolated" : "Contiguous";
    return (piece) => splitAt(piece, DIGIT, behavior);
  }],
  ["Punctuation", (part) => {
    const behavior = behaviorOf(part, "Isolated");
    return (piece) => splitAt(piece, PUNCTUATION, behavior);
  }],
  ["CharDelimiterSplit", (part) => {
    const regex = compile({ String: textOf(part, "delimiter") });
    return (piece) => splitAt(piece, regex, "Removed");
  }],
  ["Split", (part) => {
    const regex = compile(patternOf(part)), behavior = behaviorOf(part, "Isolated");
    const invert = flagOf(part, "invert", false);
    return (piece) => splitAt(piece, regex, behavior, invert);
  }],
  ["Metaspace", (part) => {
    const mark = textOf(part, "replacement", "▁"), cut = flagOf(part, "split", true);
    const plain = flagOf(part, "add_prefix_space", true) ? "always" : "never";
    const scheme = textOf(part, "prepend_scheme", plain), regex = compile({ String: mark });
    const schemes = ["always", "first", "never"];
    if (!schemes.includes(scheme)) unknownPart("prepend_scheme of a Metaspace", scheme, schemes);
    return ({ text, first }) => {
      const marked = text.replaceAll(" ", () => mark);
      const starts = scheme === "never" || scheme === "first" && !first;
      const whole = { text: starts || marked.startsWith(mark) ? marked : mark + marked, first };
      return cut ? splitAt(whole, regex, "MergedWithNext") : [whole];
    };
  }],
  ["Sequence", (part, budget) => {
    const all = listOf(part, "pretokenizers").map((one) => preTokenizer(one, budget));
    return (piece) => all.reduce((pieces, one) => pieces.flatMap(one), [piece]);
  }],
]);

/** The pre-tokenizer of a file. @throws {TypeError} naming what is not one; the message follows "as" */
export function preTokenizer(value: unknown, budget = newBudget()): PreTokenize {
  if (value === null || value === undefined) return (piece) => [piece];
  const part = partOf(value, "a pre-tokenizer", budget);
  const make = PRE_TOKENIZERS.get(part.type) ??
    unknownPart("pre-tokenizer", part.type, [...PRE_TOKENIZERS.keys()]);
  return make(part, budget);
}
