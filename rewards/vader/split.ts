/** The words of a text as VADER reads it. @module */

/** What Python's split() parts words at. */
// deno-lint-ignore no-control-regex -- it parts at these four as well
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const PUNCTUATION = new Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

/** A word without punctuation at its ends; whole where at most two signs would be left: an emoticon. */
function trimmed(word: string): string {
  let from = 0, to = word.length;
  while (from < to && PUNCTUATION.has(word[from])) from++;
  while (to > from && PUNCTUATION.has(word[to - 1])) to--;
  return [...word.slice(from, Math.min(to, from + 5))].length <= 2 ? word : word.slice(from, to);
}

/** What stands between white space, without punctuation at its ends; emoticons stay whole. */
export const wordsOf = (text: string): string[] =>
  text.split(SPACE).filter((word) => word !== "").map(trimmed);
