/** Things and the kinds they belong to, with other questions about a word. @module */
import { fill, type Random } from "../random.ts";
import { said } from "./opposites.ts";

const LINES = [
  "{word} is a kind of {kind}.",
  "{word}: {kind}",
  "{word} -> {kind}",
  "Q: what sort of thing is {word}?\nA: {kind}",
  "{Word} belongs with the word {kind}.",
  "We file {word} under {kind}.",
  "group of {word} =>\n{kind}",
  "Is {word} a {kind}? Yes, {word} is a {kind}.",
  "Is {word} a {wrong}? No, {word} is a {kind}.",
  "{kind}: {word}, {word2}, {word3}",
  "{word}, {word2} and {word3} are all of one kind:\n{kind}",
  "{Word} and {word2}: each one is a {kind}.",
  "class({word}) = {kind}",
  "category: {kind}; word: {word}",
  "word: {word}; category: {kind}",
  "A {word} is a {kind}.",
  "Name a {kind}: {word}",
  "Which one is a {kind}, {word} or {other}? {word}",
  "{word} => {kind}",
  "The category of {word} is {kind}.",
];

/** Questions with a quoted word, answered right behind the question mark. */
const NEAR: readonly (readonly [string, "kind" | "first" | "count" | "same" | "last"])[] = [
  ["Which group does the word '{word}' go with? {x}", "kind"],
  ["What kind of thing is this: '{word}'? {x}", "kind"],
  ["What do we call things such as '{word}'? {x}", "kind"],
  ["In which class would you put this word: '{word}'? {x}", "kind"],
  ["What letter does this word begin with: '{word}'? {x}", "first"],
  ["What is the first letter of this word: '{word}'? {x}", "first"],
  ["What letter does this word end with: '{word}'? {x}", "last"],
  ["How many letters does this word have: '{word}'? {x}", "count"],
  ["What does this word say: '{word}'? {x}", "same"],
  ["Which word stands here: '{word}'? {x}", "same"],
  ["What word is this: '{word}'? {x}", "same"],
  ["What length does this word have: '{word}'? {x}", "count"],
];

/**
 * Gives a generator of documents of one to three things in one wording, or of one question.
 *
 * @param kinds each kind with its members
 * @param rare things with their kind as WordNet has them, told plainly
 */
export function categories(
  kinds: Readonly<Record<string, readonly string[]>>,
  rare: readonly (readonly [string, string])[] = [],
): (random: Random) => string {
  const names = Object.keys(kinds);
  return (random) => {
    if (rare.length > 0 && random.chance(0.2)) {
      const [word, kind] = random.pick(rare);
      return fill(random.pick(PLAIN), { word, kind });
    }
    if (random.chance(0.35)) {
      const [frame, what] = random.pick(random.chance(0.4) ? NEAR.slice(0, 4) : NEAR.slice(4));
      const kind = random.pick(names), word = random.pick(kinds[kind]);
      return fill(frame, { word, x: what === "kind" ? kind : said(word, what) });
    }
    const line = random.pick(LINES);
    return random.some(names, random.pick([1, 1, 1, 2, 3])).map((kind) => {
      const [word, word2, word3] = random.some(kinds[kind], 3);
      const wrong = random.pick(names.filter((name) => name !== kind));
      const other = random.pick(kinds[wrong]);
      return fill(line, { kind, wrong, word, word2: word2 ?? word, word3: word3 ?? word, other });
    }).join("\n");
  };
}

const PLAIN = [
  "{word} is a kind of {kind}.",
  "{word}: a {kind}",
  "{Word}, a {kind}.",
  "A {word} is a {kind}.",
  "{kind}: {word}",
];
