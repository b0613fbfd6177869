/**
 * Regular expressions of a `tokenizer.json`. They are written for Oniguruma, in which Unicode decides what
 * a space or a letter of a word is, and come from outside: a backtracking one can run for ever, so only
 * those run that real tokenizers use, or whose time grows as the text does.
 * @module
 */
import { SplitPreTokenizer } from "npm:@huggingface/tokenizers@0.2.0";
import { excerpt, shown as inQuotes } from "../../base/excerpt.ts";

/** White space as Unicode and Python's tokenizers have it: JavaScript's `\s` lacks U+0085, and has U+FEFF. */
export const SPACE = String.raw`\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
/** Characters of a word. */
export const WORD = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`;

const CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d";
const SPACES = String.raw`\s+(?!\S)|\s+`;
const SIGNS = String.raw` ?[^\s\p{L}\p{N}]+`;
const PREFIXED = String.raw`[^\r\n\p{L}\p{N}]?`;
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;

/** Cuts of the tokenizers named, each seen to be fast on long texts. */
const KNOWN = new Set([
  // GPT-2
  String.raw`${CONTRACTIONS}| ?\p{L}+| ?\p{N}+|${SIGNS}|${SPACES}`,
  // CLIP
  String.raw`<\|startoftext\|>|<\|endoftext\|>|${CONTRACTIONS}|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
  // GPT-4's cl100k as Llama 3 has it, and Qwen 2
  ...[String.raw`\p{N}{1,3}`, String.raw`\p{N}`].map((digits) =>
    String
      .raw`(?i:${CONTRACTIONS})|${PREFIXED}\p{L}+|${digits}|${SIGNS}[\r\n]*|\s*[\r\n]+|${SPACES}`
  ),
  // GPT-4o's o200k
  `${PREFIXED}${UPPER}*${LOWER}+(?i:${CONTRACTIONS})?|${PREFIXED}${UPPER}+${LOWER}*` +
  String.raw`(?i:${CONTRACTIONS})?|\p{N}{1,3}|${SIGNS}[\r\n/]*|\s*[\r\n]+|${SPACES}`,
  // BLOOM
  String.raw` ?[^(\s|[.,!?…。，、।۔،])]+`,
]);

/** A pattern as a tokenizer.json states it: a text to be found as it stands, or a regular expression. */
export type Pattern = { String: string } | { Regex: string };

/**
 * The expression of a pattern, with flags g and u.
 * @throws {TypeError} when it is not one, or may take too long; the message follows "as"
 */
export function compile(pattern: Pattern): RegExp {
  if ("String" in pattern) {
    return new RegExp(pattern.String.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"), "gu");
  }
  const { Regex } = pattern;
  if (!KNOWN.has(Regex) && !isSimple(Regex)) {
    throw new TypeError(
      "a regular expression must be that of a known tokenizer, or repeat without a bound only at the " +
        `end of an alternative, with few choices before: ${quoted(Regex)}`,
    );
  }
  try { // the engine knows how Oniguruma's classes are written in JavaScript
    const { pattern: made } = new SplitPreTokenizer(
      {
        ...{ type: "Split", pattern: { Regex: unicodeSpaces(Regex) }, invert: true },
      } as ConstructorParameters<typeof SplitPreTokenizer>[0],
    ) as unknown as { pattern: RegExp };
    return made;
  } catch (error) {
    throw new TypeError(
      `a regular expression must be valid: ${quoted(Regex)}: ${(error as Error).message}`,
    );
  }
}

const LONGEST = 120;

/** `text` in quotes, cut where it is long. */
export const quoted = (text: string): string => inQuotes(text, LONGEST);

/** A value of a file as JSON, cut where it is long. */
export const shown = (value: unknown): string =>
  excerpt(JSON.stringify(value) ?? "missing", LONGEST);

/** BLOOM's class in a class, as one. */
const BLOOM = String.raw`[^(\s|[.,!?…。，、।۔،])]`, BLOOM_FLAT = String.raw`[^()|\s.,!?…。，、।۔،]`;

/** JavaScript's `\s` in Unicode's meaning; `\S` outside of classes as well. */
function unicodeSpaces(given: string): string {
  const source = given.replace(BLOOM, BLOOM_FLAT);
  let inClass = false, out = "";
  for (const [part] of source.matchAll(/\\[\s\S]|[\s\S]/gu)) {
    if (part === "[") inClass = true;
    if (part === "]") inClass = false;
    if (part === "\\s") out += inClass ? SPACE : `[${SPACE}]`;
    else if (part === "\\S" && !inClass) out += `[^${SPACE}]`;
    else out += part;
  }
  return out;
}

const ATOM =
  /(?<open>\((?:\?(?:[:!=]|i:|<[!=]))?)|(?<close>\))|(?<or>\|)|(?<repeat>[*+?]|\{\d*(?:,\d*)?\})|\[\^?\]?(?:\\[\s\S]|[^\]\\[])*\]|\\[pP]\{[^}]*\}|\\x\{[0-9A-Fa-f]+\}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[^1-9gk]|[^\\[]/uy;

/** Ways through one alternative that may all be tried at one place of a text. */
const MAX_WAYS = 4096;

/**
 * Whether an expression takes linear time by its looks: a repetition without a bound ends its alternative,
 * so that nothing behind it can fail; no group is repeated more than once; other choices are few.
 */
function isSimple(source: string): boolean {
  let ways = 1, depth = 0, behindGroup = false, behindRepeat = false;
  for (ATOM.lastIndex = 0; ATOM.lastIndex < source.length;) {
    const { open, close, or, repeat } = ATOM.exec(source)?.groups ?? { close: "none" };
    if (close === "none") return false; // something that is not known here: a back reference, a nested class
    if (open) depth++;
    if (close && --depth < 0) return false;
    if (or) ways = depth === 0 ? 1 : ways * 2;
    if (repeat) {
      const [least, most] = boundsOf(repeat);
      if (behindGroup && most > 1 || behindRepeat) return false;
      const ends = depth === 0 && ["", "|"].includes(source.charAt(ATOM.lastIndex));
      if (most < Infinity) ways *= most - least + 1;
      else if (!ends) return false;
    }
    if (ways > MAX_WAYS) return false;
    [behindGroup, behindRepeat] = [close !== undefined, repeat !== undefined];
  }
  return depth === 0;
}

/** How often a quantifier repeats what it stands behind, at least and at most. */
function boundsOf(repeat: string): [number, number] {
  if (repeat === "?") return [0, 1];
  const [, least, comma, most] = /^\{(\d*)(,?)(\d*)\}$/.exec(repeat) ?? [];
  if (least === undefined) return [0, Infinity];
  return [Number(least), most !== "" ? Number(most) : comma ? Infinity : Number(least)];
}
