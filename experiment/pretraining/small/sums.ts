/**
 * Sums with numbers below 20, drilled in rows, and stories about one change, of which more than the sum is
 * asked. Later stages read them, as the first one's arithmetic was told in too many ways to be learned.
 * @module
 */
import { fill, type Random } from "../random.ts";
import { THINGS } from "./arithmetic.ts";
import { NAMES } from "./lexicon.ts";

/** Two numbers, what becomes of the first, and how much that is. */
export interface Change {
  kind: "+" | "-";
  x: number;
  y: number;
  result: number;
}

/** A change of a number from 0 to 9 by one from 0 to 9, at times of one up to 20; the result is 0 or more. */
export function changeOf(random: Random): Change {
  const kind = random.chance(0.5) ? "+" : "-";
  const top = random.chance(0.8) ? 9 : 20;
  const a = random.integer(0, top), b = random.integer(0, 9);
  const [x, y] = kind === "-" && b > a ? [b, a] : [a, b];
  return { kind, x, y, result: kind === "+" ? x + y : x - y };
}

const ROWS: Readonly<Record<Change["kind"], readonly string[]>> = {
  "+": ["{x} + {y} = {r}", "{x} + {y} = {r}", "{x} plus {y} is {r}", "{x} and {y} more: {r}"],
  "-": ["{x} - {y} = {r}", "{x} - {y} = {r}", "{x} minus {y} is {r}", "{x} with {y} gone: {r}"],
};
const OPENINGS = [
  "{Who} had {x} {some}.",
  "{Who} owned {x} {some}.",
  "{x} {some} lay in front of {who}.",
  "In the morning {who} had {x} {some}.",
];
const CHANGES: Readonly<Record<Change["kind"], readonly string[]>> = {
  "+": [
    "{Other} brought {y} more.",
    "Then {who} bought {y} {others}.",
    "{Y} more came.",
    "{Who} picked up {y} others.",
    "{He} was given {y} by {other}.",
  ],
  "-": [
    "{Other} took {y} of them.",
    "Then {who} dropped {y} {others}.",
    "{Y} of them broke.",
    "{Who} sent {y} to {other}.",
    "{He} threw {y} away.",
  ],
};
/** What may be asked of a story, and what is the answer. */
const ASKED: readonly (readonly [string, (change: Change) => string])[] = [
  ["How many {things} were there then?", ({ result }) => `${result}`],
  ["How many did {who} have after that?", ({ result }) => `${result}`],
  ["How many were there then?", ({ result }) => `${result}`],
  ["How many {things} after all this?", ({ result }) => `${result}`],
  ["Write it as a sum.", ({ x, y, kind, result }) => `${x} ${kind} ${y} = ${result}`],
  ["How many did {who} have before?", ({ x }) => `${x}`],
  ["How many came or went?", ({ y }) => `${y}`],
  ["Were there more than before?", ({ kind, y }) => kind === "+" && y > 0 ? "yes" : "no"],
];
const LEADS = ["\nAnswer: ", "\nAnswer: ", " ", "\n", "\nA: ", " -> "];

/** A row of three to eight sums of one wording, or a story with a question. */
export function sums(random: Random): string {
  if (random.chance(0.55)) {
    const { kind } = changeOf(random), row = random.pick(ROWS[kind]);
    const between = random.pick(["\n", ", ", "; "]);
    return Array.from({ length: random.integer(3, 8) }, () => {
      let change = changeOf(random);
      while (change.kind !== kind) change = changeOf(random);
      const { x, y, result } = change;
      return fill(row, { x: `${x}`, y: `${y}`, r: `${result}` });
    }).join(between);
  }
  const change = changeOf(random), [[who, he], [other]] = random.some(NAMES, 2);
  const [question, answer] = random.pick(ASKED);
  const parts = [random.pick(OPENINGS), random.pick(CHANGES[change.kind]), question];
  const things = random.pick(THINGS),
    ofNumber = (n: number) => n === 1 ? things.slice(0, -1) : things;
  const [some, others] = [ofNumber(change.x), ofNumber(change.y)];
  const values = { who, he, other, things, some, others, x: `${change.x}`, y: `${change.y}` };
  return `${fill(parts.join(" "), values)}${random.pick(LEADS)}${answer(change)}`;
}
