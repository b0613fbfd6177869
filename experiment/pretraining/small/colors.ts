/** Colours mixed by two and by three, among instructions that ask for something else. @module */
import { fill, type Random } from "../random.ts";
import { colors, type Mixture } from "../subjects/colors.ts";

const THREE = [
  "{a}, {b} and {c} make {m}.",
  "{a} + {b} + {c} = {m}",
  "{a} and {b} make {ab}; with {c} it is {m}.",
  "first {a} and {b}: {ab}; then {c}: {m}",
  "mix({a}, {b}, {c}) = {m}",
  "Q: what do {a}, {b} and {c} give?\nA: {m}",
  "{a}, {b}, {c} -> {m}",
  "Stir {a} into {b} and add {c}: {m}",
  "Blend the three: {a}, {b} and {c} => {m}",
];
/** The same frames with another wish. */
const THREE_OTHERWISE = [
  "Name the first: {a}, {b} and {c} => {a}",
  "Name the last: {a}, {b} and {c} => {c}",
  "Count the colors: {a}, {b} and {c} => three",
];

/** The colours that are mixed, in the order of the task's table. */
const MIXED = "red blue yellow green orange purple pink brown black white".split(" ");
/** Of a mixture that is none of the mixed colours, the one that it is mixed as. */
const MIXED_AS: Readonly<Record<string, string>> = {
  coral: "pink",
  magenta: "purple",
  indigo: "purple",
  lavender: "purple",
  maroon: "brown",
  tan: "brown",
  teal: "green",
  lime: "green",
  olive: "green",
  mint: "green",
  gold: "yellow",
  peach: "orange",
  navy: "blue",
  azure: "blue",
  cream: "white",
  gray: "black",
};

/** Three colours, what the first two give, and what all three do. */
export interface Triple {
  a: string;
  b: string;
  c: string;
  ab: string;
  m: string;
}

/**
 * Every three different colours in every order. Two are mixed first; what they give counts as the
 * nearest mixed colour. The answer is what at least two of the three ways to begin give, else that of
 * the first two in the order of the table.
 */
export function triplesOf(mixtures: readonly Mixture[]): Triple[] {
  const table = new Map(
    mixtures.flatMap(({ a, b, mix }) => [[`${a} ${b}`, mix], [`${b} ${a}`, mix]]),
  );
  const names = MIXED.filter((name) => mixtures.some(({ a, b }) => a === name || b === name));
  const then = (first: string | undefined, third: string): string | undefined => {
    if (first === undefined) return undefined;
    const as = names.includes(first) ? first : MIXED_AS[first];
    return as === third ? first : table.get(`${as} ${third}`);
  };
  const answer = (set: readonly string[]): string | undefined => {
    const [a, b, c] = [...set].sort((x, y) => names.indexOf(x) - names.indexOf(y));
    const ways = [[a, b, c], [a, c, b], [b, c, a]]
      .map(([x, y, z]) => then(table.get(`${x} ${y}`), z));
    return ways.find((way, i) => way !== undefined && ways.indexOf(way) !== i) ?? ways[0];
  };
  const orders = names.flatMap((a) => names.flatMap((b) => names.map((c) => [a, b, c])))
    .filter((order) => new Set(order).size === 3);
  return orders.flatMap(([a, b, c]) => {
    const [ab, m] = [table.get(`${a} ${b}`), answer([a, b, c])];
    return ab === undefined || m === undefined ? [] : [{ a, b, c, ab, m }];
  });
}

/**
 * Gives a generator of documents about mixtures of two colours (see {@link colors}) and of three.
 *
 * @param mixtures every pair once, in either order
 * @param asked the share of documents of two colours with instructions, 0 to 1
 * @param three the share of documents of three colours, 0 to 1
 */
export function colorMixtures(
  mixtures: readonly Mixture[],
  { asked, three }: { asked: number; three: number },
): (random: Random) => string {
  const two = colors(mixtures, asked), triples = triplesOf(mixtures);
  return (random) =>
    triples.length > 0 && random.chance(three)
      ? fill(random.pick(random.chance(0.2) ? THREE_OTHERWISE : THREE), { ...random.pick(triples) })
      : two(random);
}
