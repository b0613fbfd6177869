/** Short questions with answers, and saying something again. @module */
import { fill, type Random } from "../random.ts";
import { sentence } from "./everyday.ts";

const FACTS: readonly (readonly [string, string])[] = (
  "What do we drink?=water|Where do fish live?=in the sea|What do cows eat?=grass|What melts in the sun?=ice|" +
  "What falls from clouds?=rain|What shines at night?=the moon|What shines by day?=the sun|" +
  "How many legs has a dog?=four|How many days are in a week?=seven|What do bees make?=honey|" +
  "What do we read?=a book|What do we sleep in?=a bed|Who teaches children?=a teacher|Who bakes bread?=a baker|" +
  "Who helps the sick?=a doctor|What season is cold?=winter|What season is hot?=summer|What do birds have?=wings|" +
  "What opens a lock?=a key|What tells the time?=a clock|What cuts paper?=scissors|What color is the sky?=blue|" +
  "What color is grass?=green|What color is snow?=white|What color is coal?=black|What color is blood?=red|" +
  "What color is a banana?=yellow|What color is chocolate?=brown|What is the first month?=January|" +
  "What comes after Monday?=Tuesday|What comes after night?=day|Where do we buy food?=at the market|" +
  "Where do trains stop?=at the station|What do we wear on our feet?=shoes|What do we wear in the rain?=a coat"
).split("|").map((fact) => fact.split("=") as [string, string]);
const ASK = [
  "Q: {q}\nA: {a}",
  "{q} {a}.",
  "{q}\n{a}",
  '"{q}" "{A}."',
  "Question: {q} Answer: {a}",
  "{q} => {a}",
  "Answer briefly. {q}\n{a}",
];
const ECHO = [
  "Say it again: {s}\n{s}",
  "Repeat after me: {s}\n{s}",
  "{s} I said: {s}",
  "echo: {s} => {s}",
  'He wrote "{s}" and she wrote "{s}" too.',
  "input: {s}\noutput: {s}",
];

/** A document of one to three answered questions, or of one sentence said twice. */
export function answers(random: Random): string {
  if (random.chance(0.5)) return fill(random.pick(ECHO), { s: sentence(random) });
  const form = random.pick(ASK);
  return random.some(FACTS, random.integer(1, 3)).map(([q, a]) => fill(form, { q, a })).join("\n");
}
