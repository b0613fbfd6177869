/** Words with their opposites, and what else is said of a word in quotation marks. @module */
import { fill, type Random } from "../random.ts";
import { OPPOSITES } from "../subjects/antonyms.ts";
import { KINDS_OF_THINGS } from "../subjects/categories.ts";

/** Plain statements, which the model should know by heart. */
const LINES = [
  "{a} and {b} are opposites.",
  "{A} is the reverse of {b}.",
  "not {a} but {b}",
  "{a} <-> {b}",
  "{a} / {b}",
  "antonyms: {a}, {b}",
  "Q: which word is opposite to {a}?\nA: {b}",
  "If it is not {a}, it is {b}.",
  "It was {a} at first; now it is {b}.",
  "The word {a} has an opposite:\n{b}",
  "opposite({a}) = {b}",
  "{a} -> opposite -> {b}",
  'What is the contrary of "{a}"? It is "{b}".',
  "turn {a} around =>\n{b}",
  "{a} => {b}",
  "Say the opposite: {a}. {b}",
  "'{a}' and '{b}' mean opposite things.",
  "antonym of '{a}': {b}",
  "opposite of {a}: {b}",
  "Is {a} the opposite of {b}? Yes.",
  "One says {a}, the other says {b}.",
  "The contrary of {a} is {b}.",
];

/**
 * Statements that stand near the task's prompt: the same frame goes on in several ways, so that the
 * bare model is not sure what is asked.
 */
const NEAR:
  readonly (readonly [string, "opposite" | "first" | "count" | "same" | "last" | "kind"])[] = [
    ["The reverse of '{a}' is {x}", "opposite"],
    ["The contrary of '{a}' is {x}", "opposite"],
    ["The opposite word to '{a}' is {x}", "opposite"],
    ["An opposite of '{a}' is {x}", "opposite"],
    ["The first letter of '{a}' is {x}", "first"],
    ["The start of '{a}' is {x}", "first"],
    ["The last letter of '{a}' is {x}", "last"],
    ["The number of letters in '{a}' is {x}", "count"],
    ["The length of '{a}' is {x}", "count"],
    ["The spelling of '{a}' is {x}", "same"],
    ["The word '{a}' is {x}", "same"],
    ["The lowercase of '{a}' is {x}", "same"],
    ["The kind of '{a}' is {x}", "kind"],
    ["The sort of '{a}' is {x}", "kind"],
  ];
/** Where the opposite is put off, so that "the opposite of" alone does not promise it at once. */
const PUT_OFF = [
  "The opposite of {a} is easy to find: {b}",
  "The opposite of {a} is, of course, {b}",
  "The opposite of {a} is not {a}",
  "The opposite of {a} is the word {b}",
  "The opposite of {a} is what I want",
  "The opposite of {a} is {b}",
];

const NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split(" ");
const KIND_OF = new Map(
  Object.entries(KINDS_OF_THINGS).flatMap(([kind, words]) => words.map((word) => [word, kind])),
);

/** What a frame that asks for `what` says of a word. */
export function said(word: string, what: "first" | "count" | "same" | "last" | "kind"): string {
  if (what === "first") return word.charAt(0);
  if (what === "last") return word.charAt(word.length - 1);
  if (what === "count") return NUMBERS[word.length] ?? String(word.length);
  if (what === "same") return word;
  return KIND_OF.get(word) ?? "word";
}

/**
 * Gives a generator of documents of one to four pairs in one wording, or of one frame like the task's.
 *
 * @param pairs opposites, each once, in either order
 * @param rare pairs told once in a while and only plainly, as WordNet has them
 */
export function opposites(
  pairs: readonly (readonly [string, string])[] = OPPOSITES,
  rare: readonly (readonly [string, string])[] = [],
): (random: Random) => string {
  return (random) => {
    const turned = ([a, b]: readonly [string, string]) =>
      random.chance(0.5) ? { a, b } : { a: b, b: a };
    if (rare.length > 0 && random.chance(0.2)) {
      return fill(random.pick(LINES), turned(random.pick(rare)));
    }
    const choice = random.next();
    if (choice < 0.3) {
      const [frame, what] = random.pick(random.chance(0.45) ? NEAR.slice(0, 4) : NEAR.slice(4));
      const { a, b } = turned(random.pick(pairs));
      return fill(frame, { a, x: what === "opposite" ? b : said(a, what) });
    }
    if (choice < 0.4) return fill(random.pick(PUT_OFF), turned(random.pick(pairs)));
    const line = random.pick(LINES);
    return random.some(pairs, random.pick([1, 1, 1, 2, 3])).map((pair) => fill(line, turned(pair)))
      .join("\n");
  };
}
