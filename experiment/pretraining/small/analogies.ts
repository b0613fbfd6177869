/** Pairs that stand in the same relation, and comparisons that go on otherwise. @module */
import { fill, type Random } from "../random.ts";

const LINES = [
  "{a}:{b} :: {c}:{d}",
  "{a} goes with {b}, and {c} goes with {d}.",
  "Just as {a} leads to {b}, {c} leads to {d}.",
  "{a} -> {b}; {c} -> {d}",
  "{a} fits {b} like {c} fits\n{d}",
  "{a} fits {b} like {c} fits {d}",
  "Think of {a} and {b}. In the same way, think of {c} and {d}.",
  "({a}, {b}) ({c}, {d})",
  "{a} => {b}\n{c} => {d}",
  "{A} is to {b} what {c} is to {d}.",
  "{a} is to {b} like {c} to {d}",
  "As {a} is to {b}, so is {c} to {d}",
  "If {a} gives {b}, then {c} gives {d}",
  "first {a}, {b}; then {c}, {d}",
  "{a} {b}, {c} {d}",
  "Q: {a} has {b}; what has {c}?\nA: {d}",
];
/** Frames that begin like an analogy and name something else behind the third word. */
const OTHERWISE = [
  "{a} is to {b} as near as {c} is to {a}",
  "{c} is to {a} as {c} was before",
  "{a} comes to {b} and {c} comes too",
  "{c} is to be seen here",
  "{a} is to the left of {b} and {c} is to the right",
  "{a} is next to {b} and {c} is next to {a}",
  "{a} is close to {b} as {c} is close to {c}",
  "{a} is to {b} and to {c} as well",
];

/**
 * Gives a generator of documents of one to three analogies, each from one relation.
 *
 * @param relations each with its pairs
 */
export function analogies(
  relations: readonly (readonly (readonly [string, string])[])[],
): (random: Random) => string {
  return (random) => {
    const line = random.pick(random.chance(0.2) ? OTHERWISE : LINES);
    return Array.from({ length: random.pick([1, 1, 2, 3]) }, () => {
      const [[a, b], [c, d]] = random.some(random.pick(relations), 2);
      return fill(line, { a, b, c, d });
    }).join("\n");
  };
}
