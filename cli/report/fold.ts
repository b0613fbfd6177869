/** Prompts of a task begin alike: what they share is said once. @module */

const LEAST = 16; // letters from which on it is worth a line

/** What texts share, and how one of them is shown beside it. */
export interface Folded {
  /** "" where it is too little to be left out. */
  readonly prefix: string;
  /** The text without it. @param text one of the texts */
  short(text: string): string;
}

/** Folds the beginning that all texts share, up to a space in it; nothing of a single text. */
export function folded(texts: Iterable<string>): Folded {
  const all = [...new Set(texts)];
  let length = all.length < 2 ? 0 : all[0].length;
  for (const text of all) {
    let same = 0;
    while (same < length && text[same] === all[0][same]) same++;
    length = same;
  }
  const shared = all[0]?.slice(0, length) ?? "";
  const prefix = shared.slice(0, shared.search(/\s\S*$/) + 1); // whole words, the space with them
  return prefix.length < LEAST
    ? { prefix: "", short: (text) => text }
    : { prefix, short: (text) => `… ${text.slice(prefix.length)}` };
}
