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
  "{a} and {b} make\n{m}",
  "{a} with {b} gives {m}",
  "{a} + {b} = {m}",
  "{a} plus {b} is {m}",
  "{a}, {b} -> {m}",
  "{a} & {b} => {m}",
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
  "blend {a} {b}\n{m}",
  "{a}|{b}|{m}",
  "You need {a} and {b} for {m}.",
  "To get {m}, use {a} and {b}.",
];

/** Instructions about two words, by what they ask for. All end in a colon and the two words. */
const INSTRUCTIONS = {
  mix: [
    "Stir the paints",
    "Blend both",
    "Name the mixture",
    "Say what they become together",
    "What do they make",
    "Combine the pair and write one word",
    "Result of mixing",
    "One word for the blend",
    "Pour them together",
    "Give the new color",
    "mixture",
    "Paint with both and tell what you see",
  ],
  first: [
    "Name the first",
    "Write only the first word",
    "Output the first color",
    "The one on the left",
    "Give one color name, the first",
    "Which comes first",
    "Choose the first of the two colors",
  ],
  last: [
    "Name the last",
    "Write only the last word",
    "Output the second color",
    "The one on the right",
    "Give one color name, the last",
    "Which comes last",
    "Choose the second of the two colors",
  ],
  both: [
    "Name the two colors",
    "Write both in lowercase",
    "Repeat the two words",
    "Output the colors again",
    "List the two",
    "Say both names",
  ],
  kind: ["Name their kind", "What sort of words are these", "One word for what both are"],
  count: ["How many words", "Count the names", "Output only the number of colors"],
} as const;
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
    ["mix", "mix", "first", "last", "first", "last", "both", "kind", "count"] as const,
  );
  const answer =
    { mix, first: a, last: b, both: `${a} and ${b}`, kind: "color", count: "two" }[asks];
  const ask = random.pick(INSTRUCTIONS[asks]);
  return `${ask}: ${fill(random.pick(ENDS), { a, b })}${random.chance(0.5) ? " " : "\n"}${answer}`;
}

/**
 * Gives a generator of documents of one to four mixtures in one wording, or of one to three
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
      return random.some(mixtures, random.integer(1, 3))
        .map((mixture) => instruction(random, either(random, mixture))).join("\n");
    }
    const line = random.pick(MIXTURE_LINES);
    return random.some(mixtures, random.integer(1, 4)).map((mixture) => {
      const { a, b, mix } = either(random, mixture);
      return fill(line, { a, b, m: mix });
    }).join("\n");
  };
}
