/** Characters that nobody sees, or that act: spelled out, so that no text from outside hides or moves one. @module */

// Controls of C0 and C1, separators of lines and paragraphs, halves of characters, marks of annotations,
// what XML does not allow, and what Unicode 17 draws as nothing (Default_Ignorable_Code_Point): zero-width
// and direction controls, the byte-order mark, fillers, tags (U+E0000 to U+E007F) and variation selectors,
// but for the one that emoji have.
const UNSEEN = /[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{DI}\ufff9-\ufffc\ufffe\uffff]--[\ufe0f]]/gv;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** `text` with each such character replaced by what `by` gives for it. */
export const withoutUnseen = (text: string, by: (character: string) => string): string =>
  text.replace(UNSEEN, by);

/**
 * `text` with every control, direction or invisible character, and every half of one, spelled out (`\n`,
 * `\u{202e}`) and handed to `mark`: it can neither move a cursor, reorder a line, nor hide, and a reader
 * sees all that there was.
 */
export const spelledOut = (text: string, mark = (spelled: string): string => spelled): string =>
  withoutUnseen(text, (c) => mark(SHORT[c] ?? `\\u{${c.codePointAt(0)!.toString(16)}}`));
