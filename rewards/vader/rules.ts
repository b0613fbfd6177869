/** What a word of a text counts for in VADER, by the words around it. @module */
import { DEGREES, negates, PHRASES } from "./lexicon.ts";

/** The words of a text. */
export interface Words {
  readonly written: readonly string[];
  readonly lower: readonly string[];
  /** True where some words are in capitals and others are not. */
  readonly mixed: boolean;
  readonly valence: ReadonlyMap<string, number>;
}

/** What capitals among others add. */
const CAPITALS = 0.733;
/** What a negation makes of a value. */
const NEGATED = -0.74;
/** How much a degree word counts that is one, two, three words before. */
const FADE = [1, 0.95, 0.9];

/** Whether a word has letters, and none that are small. */
export const isUpper = (word: string): boolean =>
  word === word.toUpperCase() && word !== word.toLowerCase();

/** The value of word `i`; 0 for what is no word of the lexicon, or only changes others. */
export function weighed(words: Words, i: number): number {
  const { written, lower, mixed, valence } = words, word = lower[i];
  const isDegree = DEGREES.has(word) || word === "kind" && lower[i + 1] === "of";
  let value = isDegree ? undefined : valence.get(word);
  if (value === undefined) return 0;
  const isDenied = lower[i - 1] === "no" || lower[i - 2] === "no" ||
    lower[i - 3] === "no" && /^n?or$/.test(lower[i - 1]);
  if (isDenied) value *= NEGATED;
  else if (word === "no" && valence.has(lower[i + 1] ?? "")) value = 0; // negates the next word
  if (mixed && isUpper(written[i])) value += value > 0 ? CAPITALS : -CAPITALS;
  for (let far = 1; far <= 3; far++) {
    if (i < far || valence.has(lower[i - far])) continue;
    value += FADE[far - 1] * degree(words, i - far, value);
    value *= negation(lower, i, far);
    if (far === 3) value = phrase(lower, i, value);
  }
  const isLeast = lower[i - 1] === "least" && !valence.has("least");
  return isLeast && !/^(?:at|very)$/.test(lower[i - 2] ?? "") ? value * NEGATED : value;
}

/** What degree word `at` adds to a value. */
function degree({ written, lower, mixed }: Words, at: number, value: number): number {
  const more = DEGREES.get(lower[at]);
  if (more === undefined) return 0;
  const capitals = mixed && isUpper(written[at]) ? CAPITALS : 0;
  return value < 0 ? -more - capitals : value > 0 ? more + capitals : more - capitals;
}

/** What the word `far` before word `i` makes of its value, where that is a negation. */
function negation(lower: readonly string[], i: number, far: number): number {
  const [one, two, three] = [lower[i - 1], lower[i - 2], lower[i - 3]];
  const stresses = (word: string): boolean => word === "so" || word === "this";
  const isNever = far === 2 && two === "never" && stresses(one) ||
    far === 3 && (three === "never" && stresses(two) || stresses(one)); // without "never", too
  if (isNever) return 1.25;
  const isSure = far === 2 && two === "without" && one === "doubt" ||
    far === 3 && three === "without" && (two === "doubt" || one === "doubt");
  return !isSure && negates(lower[i - far]) ? NEGATED : 1;
}

/** The value of word `i` where it is part of a phrase, with phrases of degree before it. */
function phrase(lower: readonly string[], i: number, value: number): number {
  const text = (from: number, to: number): string => lower.slice(i + from, i + to + 1).join(" ");
  const before = [[-3, -1], [-3, -2], [-2, -1]].map(([from, to]) => text(from, to));
  const found = [text(-1, 0), text(-2, 0), before[2], before[0], before[1]]
    .find((words) => PHRASES.has(words));
  const after = [[0, 2], [0, 1]].filter(([, to]) => i + to < lower.length)
    .map(([from, to]) => text(from, to)).find((words) => PHRASES.has(words));
  const known = after ?? found;
  return before.reduce(
    (sum, words) => sum + (DEGREES.get(words) ?? 0),
    known === undefined ? value : PHRASES.get(known)!,
  );
}
