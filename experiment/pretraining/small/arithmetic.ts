/** Sums in digits, in words and in little stories, from easy to less easy. @module */
import { fill, type Random } from "../random.ts";
import { NAMES } from "./lexicon.ts";

const WORDS = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " +
  "seventeen eighteen nineteen twenty"
).split(" ");
export const THINGS: readonly string[] = (
  "apples coins books cups birds stones eggs cakes balls cards pencils toys flowers stickers shells cookies " +
  "marbles stamps pears oranges"
).split(" ");

/** How many things there are, and how many after something happened. */
export interface Sum {
  x: number;
  y: number;
  kind: "+" | "-" | "*" | "/";
  result: number;
}

/**
 * A sum of whole numbers with a whole result, from 0. Grade 1: up to 10; 2: up to 20; 3: up to 100 and
 * tables up to 10.
 */
export function sumOf(random: Random, grade: 1 | 2 | 3): Sum {
  const top = { 1: 10, 2: 20, 3: 100 }[grade];
  const kind = random.pick(grade === 3 ? ["+", "-", "*", "/"] as const : ["+", "+", "-"] as const);
  if (kind === "*" || kind === "/") {
    const [x, y] = [random.integer(1, 10), random.integer(2, 10)];
    return kind === "*" ? { x, y, kind, result: x * y } : { x: x * y, y, kind, result: x };
  }
  const whole = random.integer(1, top), part = random.integer(0, whole);
  return kind === "+"
    ? { x: part, y: whole - part, kind, result: whole }
    : { x: whole, y: part, kind, result: whole - part };
}

const BARE: Readonly<Record<Sum["kind"], readonly string[]>> = {
  "+": [
    "{x} + {y} = {r}",
    "{x} plus {y} is {r}",
    "{x} and {y} make {r}.",
    "add {x} and {y}: {r}",
    "{r} = {x} + {y}",
  ],
  "-": [
    "{x} - {y} = {r}",
    "{x} minus {y} is {r}",
    "take {y} away from {x}: {r}",
    "{x} less {y} is {r}.",
  ],
  "*": ["{x} * {y} = {r}", "{x} times {y} is {r}", "{x} x {y} = {r}", "{x} groups of {y} are {r}"],
  "/": ["{x} / {y} = {r}", "{x} divided by {y} is {r}", "share {x} among {y}: {r} each"],
};
const ASKED: Readonly<Record<Sum["kind"], readonly string[]>> = {
  "+": [
    "How much is {x} plus {y}?",
    "What is {x} + {y}?",
    "{x} + {y} =",
    "What do {x} and {y} make?",
  ],
  "-": [
    "How much is {x} minus {y}?",
    "What is {x} - {y}?",
    "{x} - {y} =",
    "What is left when {y} goes from {x}?",
  ],
  "*": ["How much is {x} times {y}?", "What is {x} * {y}?", "What are {x} groups of {y}?"],
  "/": ["How much is {x} divided by {y}?", "What is {x} / {y}?"],
};
const STORIES: Readonly<Record<Sum["kind"], readonly string[]>> = {
  "+": [
    "{Who} has {x} {things} and finds {y} more. How many {things} has {who} now?",
    "{Who} has {x} {things}. {Other} gives {who} {y} more. How many are there?",
    "There are {x} {things} on the table and {y} in the box. How many {things} in all?",
    "{Who} buys {x} {things} on Monday and {y} on Friday. How many did {who} buy?",
    "{Who} has {x} {things} and {other} has {y}. How many do they have together?",
  ],
  "-": [
    "{Who} has {x} {things} and gives {y} away. How many are left?",
    "{Who} had {x} {things}. {Other} took {y}. How many {things} has {who} now?",
    "There were {x} {things} in a bag. {Who} lost {y} of them. How many remain?",
    "{Who} made {x} {things} and sold {y}. How many are left to sell?",
    "{Who} has {x} {things} and {other} has {y}. How many more has {who}?",
  ],
  "*": [
    "There are {x} boxes with {y} {things} in each. How many {things} are there?",
    "{Who} buys {y} {things} every day for {x} days. How many is that?",
  ],
  "/": [
    "{Who} shares {x} {things} among {y} friends. How many does each get?",
    "{x} {things} go into {y} equal bags. How many are in each bag?",
  ],
};
/** What stands between a question and its number. */
const LEADS = [
  "\n",
  "\nA: ",
  " It is ",
  "\nResult: ",
  " => ",
  " -> ",
  " That makes ",
  "\nSo: ",
  " ",
];
/** Behind "Answer:" as a task has it, the reply is at times a sentence, so that it must learn the number. */
const REPLIES = [
  "{r}",
  "{r}",
  "There are {r}.",
  "{Who} has {r} {things}.",
  "It is {r}.",
  "{x} and {y}.",
  "{things}",
  "I count {x}.",
];

/** A document of one to four lines in one wording; results are whole numbers from 0 to 100. */
export function arithmetic(random: Random): string {
  const grade = random.pick([1, 1, 1, 1, 2, 2, 3] as const);
  const first = sumOf(random, grade);
  const inWords = grade < 3 && random.chance(0.25);
  const values = ({ x, y, result }: Sum): Record<string, string> => {
    const [[who], [other]] = random.some(NAMES, 2);
    const show = (n: number): string => inWords ? WORDS[n] : String(n);
    return { x: show(x), y: show(y), r: show(result), who, other, things: random.pick(THINGS) };
  };
  const choice = random.next();
  if (choice < 0.08) return counted(random);
  if (choice < 0.45) {
    const line = random.pick(BARE[first.kind]);
    const sums = [first];
    for (let more = random.pick([0, 1, 2, 3]); more > 0; more--) {
      const next = sumOf(random, grade);
      if (next.kind === first.kind) sums.push(next);
    }
    return sums.map((sum) => fill(line, values(sum))).join("\n");
  }
  const isStory = random.chance(0.75);
  const question = random.pick((isStory ? STORIES : ASKED)[first.kind]);
  const told = values(first);
  const asked = fill(random.chance(0.3) ? `Question: ${question}` : question, told);
  // A bare sum is answered right behind "Answer:"; a story there is answered in several ways.
  if (random.chance(0.35)) {
    const reply = fill(isStory ? random.pick(REPLIES) : "{r}", told);
    return `${asked}${random.pick([" ", "\n"])}${
      isStory && random.chance(0.4) ? "Reply" : "Answer"
    }: ${reply}`;
  }
  return `${asked}${random.pick(LEADS)}${told.r}`;
}

function counted(random: Random): string {
  const x = random.integer(0, 95);
  const inWords = x <= 16 && random.chance(0.5);
  const show = (n: number): string => inWords ? WORDS[n] : String(n);
  return fill(
    random.pick([
      "after {x} comes {a}",
      "count: {x}, {a}, {b}",
      "{x} < {a}",
      "{a} > {x}",
      "before {a} is {x}",
      "{x}, {a}, {b}, {c}, {d}",
    ]),
    {
      x: show(x),
      a: show(x + 1),
      b: show(x + 2),
      c: show(x + 3),
      d: show(x + 4),
    },
  );
}
