/** Short orders about words and sentences, each with a helpful reply that follows from it. @module */
import { fill, type Random } from "../random.ts";
import { ACTIONS, NAMES, QUALITIES, somebody, THINGS } from "./lexicon.ts";
import { ANSWERED_KINDS, ANSWERED_OPPOSITES } from "./words.ts";

const plural = (word: string): string =>
  /(?:s|x|ch|sh)$/.test(word)
    ? `${word}es`
    : /[^aeiou]y$/.test(word)
    ? `${word.slice(0, -1)}ies`
    : `${word}s`;
const NUMBERED = Object.entries(ANSWERED_KINDS).filter(([kind]) =>
  /^(?:fruit|vegetable|animal|bird|insect|vehicle|tool|instrument|flower|color|sport|drink|tree|metal|country)$/
    .test(kind)
);

type Maker = (random: Random) => [order: string, reply: string];

const kindOf: Maker = (random) => {
  const [kind, words] = random.pick(NUMBERED);
  const [a, b, c] = random.some(words, 3);
  return [
    fill(
      random.pick(["Name some {kinds}.", "Give me three {kinds}.", "Which {kinds} do you know?"]),
      {
        kinds: plural(kind),
      },
    ),
    fill(
      random.pick([
        "{A}, {b} and {c} are {kinds}.",
        "{A}, {b} and {c}.",
        "I know {a}, {b} and {c}.",
      ]),
      {
        a,
        b,
        c,
        kinds: plural(kind),
      },
    ),
  ];
};
const odd: Maker = (random) => {
  const [[kind, words], [, others]] = random.some(NUMBERED, 2);
  const [a, b] = random.some(words, 2), c = random.pick(others);
  const row = random.shuffle([a, b, c]).join(", ");
  return [
    `Which one does not fit? ${row}`,
    fill("{C} does not fit, because the others are {kinds}.", { c, kinds: plural(kind) }),
  ];
};
const opposite: Maker = (random) => {
  const [a, b] = random.pick(ANSWERED_OPPOSITES.slice(0, 94));
  return [
    `Tell me a word that means the contrary of ${a}.`,
    fill("{B} is the contrary of {a}.", { a, b }),
  ];
};
const past: Maker = (random) => {
  const [who] = somebody(random), { third, past, things } = random.pick(ACTIONS);
  const values = { who, third, past, thing: random.pick(things) };
  return [
    fill("Put this in the past: {Who} {third} a {thing}.", values),
    fill("{Who} {past} a {thing}.", values),
  ];
};
const not: Maker = (random) => {
  const [thing, quality] = [random.pick(THINGS), random.pick(QUALITIES)];
  return [
    `Say that this is not so: The ${thing} is ${quality}.`,
    `The ${thing} is not ${quality}.`,
  ];
};
const question: Maker = (random) => {
  const [thing, quality] = [random.pick(THINGS), random.pick(QUALITIES)];
  return [`Ask whether this is so: The ${thing} is ${quality}.`, `Is the ${thing} ${quality}?`];
};
const sorted: Maker = (random) => {
  const numbers = random.some([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20], 3);
  const up = [...numbers].sort((a, b) => a - b);
  return [`Put these numbers in order: ${numbers.join(", ")}`, up.join(", ")];
};
const used: Maker = (random) => {
  const thing = random.pick(THINGS),
    [who] = somebody(random),
    { past, things } = random.pick(ACTIONS);
  return [
    fill(
      random.pick(["Write a sentence with the word {thing}.", "Make a sentence about a {thing}."]),
      { thing },
    ),
    fill(
      random.pick([
        "The {thing} is {quality} today.",
        "{Who} saw a {quality} {thing}.",
        "{Who} {past} the {other} near the {thing}.",
      ]),
      {
        thing,
        who,
        past,
        other: random.pick(things),
        quality: random.pick(QUALITIES),
      },
    ),
  ];
};
const wish: Maker = (random) => {
  const [[who]] = random.some(NAMES, 1);
  return random.pick<[string, string]>([
    [`Write a few kind words for ${who}.`, `Dear ${who}, I am glad that we are friends.`],
    [`Write a birthday card for ${who}.`, `Happy birthday, ${who}! I wish you a day full of joy.`],
    [`Thank ${who} for the help.`, `Thank you, ${who}. Your help meant a lot to me.`],
    [`Say sorry to ${who}.`, `I am sorry, ${who}. I will do better next time.`],
    [`Ask ${who} to come for dinner.`, `Would you like to come for dinner, ${who}?`],
  ]);
};
const MAKERS: readonly Maker[] = [
  kindOf,
  kindOf,
  odd,
  opposite,
  past,
  not,
  question,
  sorted,
  used,
  wish,
];

/** An order with the reply that follows from it. */
export function instruction(random: Random): { q: string; a: string } {
  const [q, a] = random.pick(MAKERS)(random);
  return { q, a };
}
