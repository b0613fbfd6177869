/** Texts taken apart into words. @module */

/** What stands between white space. */
export const pieces = (text: string): string[] => text.split(/\s+/).filter((piece) => piece !== "");

const MARK = /^[\p{P}\p{S}]$/u;

/** The text without punctuation and signs at both ends. */
export function withoutMarks(text: string): string {
  // By hand: a pattern with an end would look at each of 100,000 full stops again and again.
  const signs = [...text];
  let from = 0, to = signs.length;
  while (from < to && MARK.test(signs[from])) from++;
  while (to > from && MARK.test(signs[to - 1])) to--;
  return signs.slice(from, to).join("");
}

/** The first piece, lower-case and without marks at its ends; empty where there is none. */
export const firstWord = (text: string): string =>
  withoutMarks(/\S+/.exec(text)?.[0] ?? "").toLowerCase();
