/** The words of a text, as keys of word vectors spell them. @module */

/** A word of a text, and what stands between it and the one before: "_" for a gap, "-" for a hyphen. */
export interface Unit {
  readonly word: string;
  readonly joint: "_" | "-";
}

/** Words are letters, digits, marks of accents and apostrophes inside. */
const WORD = /[\p{L}\p{M}\p{N}#]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu;

/** Words in order; a single hyphen between two joins them closer than a gap. */
export function unitsOf(text: string): Unit[] {
  let end = 0;
  return [...text.normalize("NFC").matchAll(WORD)].map(({ 0: word, index }) => {
    const joint = text.slice(end, index) === "-" ? "-" : "_";
    end = index + word.length;
    return { word: word.replaceAll("’", "'"), joint };
  });
}

/** With # for each digit, where two or more stand together: so Numberbatch writes numbers. */
export const withoutDigits = (text: string): string =>
  /\d\d/.test(text) ? text.replaceAll(/\d/g, "#") : text;
