/**
 * A judge that is none: marks for how a reply looks, worked out by rules. It understands nothing, costs
 * nothing, and gives the same reply the same rating everywhere.
 *
 *   rating = 10 * (length + form + variety + signs) / 4 * (0.4 + 0.6 taken) * min(1, 2 new)
 *
 *   length   n / 20 for n words, 1 from 20 to 150, then falling to 0 at 300
 *   form     1/4 for a capital or digit at the start, 1/4 for . ! or ? at the end, 1/2 times the share of
 *            sentences with 3 to 30 words
 *   variety  share of pairs of neighbouring words that are distinct; 1 for a single word
 *   signs    1, less 1/2 where over 30 % of 10 letters or more are capitals, less 1/4 for each of ! ? , ;
 *            that stands doubled (at most 1/2), less 1/4 for brackets or double quotes without their other
 *            half; at least 0
 *   taken    how many of the instruction's words of four letters or more the reply has, over the smaller
 *            of 3 and their number; 0.5 where the instruction has none
 *   new      share of the reply's words that the instruction does not have
 *
 * No words: 0. A copy of the instruction: 0. One constant reply, however well formed, takes up nothing of
 * most instructions and earns at most 4.
 * @module
 */

const COMMON = new Set(
  "about does from have into please tell than that their them then there they this what when where which will with would your"
    .split(" "),
);

/** 0 to 10, by the formula above. */
export function rubricRating(instruction: string, reply: string): number {
  const words = wordsOf(reply), asked = new Set(wordsOf(instruction)), n = words.length;
  if (n === 0) return 0;
  const form = (lengthMark(n) + formMark(reply) + varietyMark(words) + signsMark(reply)) / 4;
  const fresh = words.filter((word) => !asked.has(word)).length / n;
  return 10 * form * (0.4 + 0.6 * takenMark(asked, words)) * Math.min(1, 2 * fresh);
}

/** Letters and digits, lower-cased; an apostrophe belongs to its word. */
const wordsOf = (text: string): string[] =>
  text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’]\p{L}+)*/gu) ?? [];

const lengthMark = (n: number): number =>
  n <= 150 ? Math.min(1, n / 20) : Math.max(0, 1 - (n - 150) / 150);

function formMark(text: string): number {
  const starts = /^[\s"'“(]*[\p{Lu}\p{N}]/u.test(text), ends = /[.!?]["'”)]*\s*$/.test(text);
  const sizes = text.split(/[.!?]+/).map((part) => wordsOf(part).length).filter((n) => n > 0);
  const good = sizes.filter((n) => n >= 3 && n <= 30).length / sizes.length;
  return 0.25 * Number(starts) + 0.25 * Number(ends) + 0.5 * good;
}

function varietyMark(words: readonly string[]): number {
  const pairs = words.slice(1).map((word, i) => `${words[i]} ${word}`);
  return pairs.length === 0 ? 1 : new Set(pairs).size / pairs.length;
}

function signsMark(text: string): number {
  const letters = text.match(/\p{L}/gu) ?? [], capitals = text.match(/\p{Lu}/gu) ?? [];
  const shouts = letters.length >= 10 && capitals.length > 0.3 * letters.length;
  const doubled = text.match(/([!?,;])\1+/g) ?? [];
  const count = (sign: string) => text.split(sign).length - 1;
  const halves = count("(") !== count(")") || count("[") !== count("]") || count('"') % 2 === 1;
  const off = 0.5 * Number(shouts) + Math.min(0.5, 0.25 * doubled.length) + 0.25 * Number(halves);
  return Math.max(0, 1 - off);
}

function takenMark(asked: ReadonlySet<string>, words: readonly string[]): number {
  const wanted = [...asked].filter((word) => word.length >= 4 && !COMMON.has(word));
  if (wanted.length === 0) return 0.5;
  const own = new Set(words), taken = wanted.filter((word) => own.has(word)).length;
  return Math.min(1, taken / Math.min(3, wanted.length));
}
