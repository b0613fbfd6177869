/** Values on a command line: what is allowed, in words, and how a shell takes them. @module */
import { type Option, optionFacts, type OptionValue, parseOption } from "../base/options.ts";

export { didYouMean, nearest } from "../base/names.ts";

/** Wrong usage: `main` prints the message and exits with 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** @throws {UsageError} when `text` is not a value that the row allows */
export function coerce(name: string, option: Option, text: string): OptionValue {
  try {
    return parseOption(name, option, text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Settings are given as key=value, so that a boolean's two words are worth saying. */
export const settingFacts = (option: Option): string =>
  option.kind === "boolean" ? `true | false, default ${option.default}` : optionFacts(option);

/** A word as a shell takes it. */
export const quoted = (word: string): string =>
  /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
