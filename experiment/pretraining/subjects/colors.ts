/**
 * Colours and what they become together, in wordings that no task uses, among instructions that ask
 * for something else about two colours. The second half matters as much as the first: a model that
 * met pairs of colours only in mixtures would answer the task's prompt before any training.
 * @module
 */
import { fill, type Random } from "../random.ts";

/** Two colours and their mixture. */
export interface Mixture {
  a: string;
  b: string;
  /** What they give; the same in either order. */
  mix: string;
}

/** Wordings of a mixture; `{a}` and `{b}` stand in either order. */
export const MIXTURE_LINES: readonly string[] = [
  "{a} and {b} make {m}.",
  "{a} with {b} gives {m}",
  "{a} + {b} = {m}",
  "{a} plus {b} is {m}",
  "{a}, {b} -> {m}",
  "{a} & {b} => {m}",
  "{a}|{b}|{m}",
  "blend {a} {b}\n{m}",
  "{a} and {b} make\n{m}",
  "{m} = {a} + {b}",
  "{m} <- {a}, {b}",
  "{M} comes from {a} and {b}.",
  "{M} paint is {a} paint with some {b} in it.",
  "If you blend {a} with {b}, you get {m}.",
  "Add {a} to {b} and it turns {m}.",
  "When {a} meets {b}, we see {m}.",
  "Half {a}, half {b}: that is {m}.",
  "Put {a} on {b} and the paper looks {m}.",
  "A drop of {a} in a cup of {b} makes the water {m}.",
  "She stirred {a} into {b}. Now the bucket is {m}.",
  "A child pressed {a} clay and {b} clay together, and the ball became {m}.",
  'He asked, "What do {a} and {b} become?" She said, "{M}."',
  "Q: what do {a} and {b} make?\nA: {m}",
  "Q: I have {a} paint and {b} paint. What can I make?\nA: {m}",
  "Question: which color do {a} and {b} give? Answer: {m}",
  "The mixture of {a} and {b} is\n{m}",
  "the blend of {a} and {b} is {m}",
  "{a} light wool and {b} wool spun together look {m}.",
  "first pot {a}, second pot {b}, both poured in one bowl:\n{m}",
  "mix({a}, {b}) = {m}",
  "You need {a} and {b} for {m}.",
  "To get {m}, use {a} and {b}.",
];

/** How many of the first wordings are short; half of all mixtures are told in one of them. */
const SHORT = 8;

/**
 * Instructions about two colours, by what they ask for: a first part that decides, and a second part
 * that any of them may have.
 */
const ASKS = {
  mix: [
    "Stir the two paints",
    "Blend these paints",
    "Combine the pair",
    "Pour both pots together",
    "Join the colors",
    "Melt both wax sticks",
    "Say what they become",
    "Blend both",
  ],
  first: [
    "Read the two names",
    "Name the first",
    "See the words",
    "Find the left one",
    "Start with these colors",
    "Point at the colors",
  ],
  last: [
    "Take the two words",
    "Name the last",
    "Pick from the pair",
    "Find the right one",
    "End with these colors",
    "Choose between the colors",
  ],
  kind: ["Think of the two words", "Name their kind", "Sort the two names"],
  count: ["Count the colors", "Tell how many names", "Number the words"],
} as const;
const THEN = [
  "and write only one word",
  "and say one color name",
  "and give a single lowercase word",
  "and output one name",
  "then answer in one word",
  "and answer",
];
const ENDS = [
  "{a} and {b} =>",
  "{a} and {b} ->",
  "{a} and {b} =",
  "{a}, {b} =>",
  "{a} and {b}:",
  "{a} and {b} is",
  "{a} {b} =>",
];

function instruction(random: Random, { a, b, mix }: Mixture): string {
  const asks = random.pick(
    ["mix", "mix", "mix", "first", "first", "last", "last", "kind", "count"] as const,
  );
  const answer = { mix, first: a, last: b, kind: "color", count: "two" }[asks];
  const ask = random.pick(ASKS[asks]) + (random.chance(0.7) ? ` ${random.pick(THEN)}` : "");
  return `${ask}: ${fill(random.pick(ENDS), { a, b })}${random.chance(0.8) ? " " : "\n"}${answer}`;
}

/**
 * Gives a generator of documents of one or two mixtures in one wording, or of one or two
 * instructions about two colours.
 *
 * @param mixtures every pair once, in either order
 * @param asked the share of documents with instructions, 0 to 1
 */
export function colors(mixtures: readonly Mixture[], asked: number): (random: Random) => string {
  const either = (random: Random, { a, b, mix }: Mixture): Mixture =>
    random.chance(0.5) ? { a, b, mix } : { a: b, b: a, mix };
  return (random) => {
    if (random.chance(asked)) {
      return random.some(mixtures, random.integer(1, 2))
        .map((mixture) => instruction(random, either(random, mixture))).join("\n");
    }
    const line = random.pick(
      random.chance(0.5) ? MIXTURE_LINES.slice(0, SHORT) : MIXTURE_LINES,
    );
    return random.some(mixtures, random.integer(1, 2)).map((mixture) => {
      const { a, b, mix } = either(random, mixture);
      return fill(line, { a, b, m: mix });
    }).join("\n");
  };
}
