/** Names and values on a command line: what is allowed, in words, and the nearest valid name. @module */
import { distance } from "fastest-levenshtein";
import type { Option, OptionValue } from "./options.ts";

/** Wrong usage: `main` prints the message and exits with 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The valid name that a mistyped one most likely meant, or nothing when all are far off. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const fold = (text: string) => text.toLowerCase().replace(/[-_]/g, "");
  const wanted = fold(word);
  let best: string | undefined, least = Infinity;
  for (const name of names) {
    const candidate = fold(name);
    // A clear beginning ("learn" for learningRate) counts as one edit.
    const begins = wanted.length >= 3 && candidate.startsWith(wanted);
    const edits = begins ? Math.min(1, distance(wanted, candidate)) : distance(wanted, candidate);
    if (edits < least) [best, least] = [name, edits];
  }
  return least <= Math.max(2, Math.floor(wanted.length / 3)) ? best : undefined;
}

/** ` Did you mean "colors"?`, or nothing. */
export function didYouMean(word: string, names: readonly string[]): string {
  const name = nearest(word, names);
  return name === undefined ? "" : ` Did you mean "${name}"?`;
}

/** Unit, default and range in words: `nats a sequence, default 6, above 0, usually 1 to 10`. */
export function facts(option: Option): string {
  const parts: string[] = [];
  if (option.choices) parts.push(option.choices.join(" | "));
  if (option.unit) parts.push(option.unit);
  if (option.default !== undefined && option.kind !== "boolean") {
    parts.push(`default ${plain(option.default)}`);
  } else if (option.otherwise) parts.push(`default: ${option.otherwise}`);
  const allowed = rangeOf(option);
  if (allowed) parts.push(allowed);
  if (option.usual) parts.push(`usually ${option.usual}`);
  return parts.join(", ");
}

/** Small numbers as people write them: 1.41e-5. */
const plain = (value: OptionValue): string =>
  typeof value === "number" && value !== 0 && Math.abs(value) < 1e-3
    ? value.toExponential().replace("e+", "e")
    : String(value);

/** `0 to 1`, `above 0`, `1 or more`; empty where anything goes. */
function rangeOf({ min, max, above }: Option): string {
  if (min === undefined) return max === undefined ? "" : `${max} or less`;
  if (max === undefined) return above ? `above ${min}` : `${min} or more`;
  return above ? `above ${min}, up to ${max}` : `${min} to ${max}`;
}

/** @throws {UsageError} when `text` is no value that the row allows */
export function coerce(name: string, option: Option, text: string): OptionValue {
  const refuse = (rule: string): never => {
    throw new UsageError(`Cannot set ${name} as ${rule}: it is "${text}" (${facts(option)})`);
  };
  if (option.kind === "text") return text === "" ? refuse("it needs a value") : text;
  if (option.kind === "choice") {
    const choices = option.choices ?? [];
    if (choices.includes(text)) return text;
    throw new UsageError(
      `Cannot set ${name} as it takes ${choices.join(" or ")}: it is "${text}".${
        didYouMean(text, choices)
      }`,
    );
  }
  if (option.kind === "boolean") {
    if (text === "true" || text === "false") return text === "true";
    return refuse("it takes true or false");
  }
  const whole = option.kind === "integer";
  const form = whole ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  if (!form.test(text)) refuse(whole ? "it takes a whole number" : "it takes a number");
  const value = Number(text);
  const { min = -Infinity, max = Infinity, above } = option;
  const inside = (above ? value > min : value >= min) && value <= max && Number.isFinite(value);
  if (!inside) refuse(`it must be ${rangeOf(option) || "finite"}`);
  return value;
}

/** Settings are given as key=value, so that a boolean's two words are worth saying. */
export const settingFacts = (option: Option): string =>
  option.kind === "boolean" ? `true | false, default ${option.default}` : facts(option);

/** A word as a shell takes it. */
export const quoted = (word: string): string =>
  /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
