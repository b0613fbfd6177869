/** Files of a user's own in place of a name of the registries: which words are one, and how it is called. @module */

const MODULE = /\.(?:ts|mts|js|mjs)$/i;
const TABLE = /\.csv$/i;

/** Whether a word is the path of a module, as a reward or a task of one's own is. */
export const isModuleFile = (word: string): boolean => MODULE.test(word);

/** Whether a word is the path of a table of prompts. */
export const isTableFile = (word: string): boolean => TABLE.test(word);

/** Whether a word can only be a path: no name in a registry has a slash, or ends like a file. */
export const isPath = (word: string): boolean =>
  /[/\\]/.test(word) || isModuleFile(word) || isTableFile(word);

/** What follows the last slash, without the ending that says what it is. */
const stem = (path: string): string =>
  path.replace(/[/\\]+$/, "").replace(/^.*[/\\]/, "").replace(MODULE, "").replace(TABLE, "");

/** A task's name from the path of its file: lower-case letters of any script and digits, joined by "-". */
export const taskNameOf = (path: string): string =>
  stem(path).toLowerCase().normalize("NFC").replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, "-")
    .replaceAll(/^-|-$/g, "") || "own";

/** A reward's name from the path of its file, or from a function's name: a-z, 0-9 and _, a letter first. */
export function rewardNameOf(path: string): string {
  const words = stem(path).replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_").replaceAll(/^_+|_+$/g, "");
  return words === "" ? "own" : /^[a-z]/.test(words) ? words : `own_${words}`;
}
