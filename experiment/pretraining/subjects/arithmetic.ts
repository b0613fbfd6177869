/** Small sums, in digits and in words. @module */
import { fill, type Random } from "../random.ts";

const WORDS = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " +
  "seventeen eighteen nineteen twenty"
).split(" ");
const THINGS = "apples,coins,books,cups,birds,stones,eggs,cakes,balls,cards".split(",");
const PEOPLE = "Anna,Ben,Clara,David,Ella,Finn,Mia,Tom".split(",");
const SUMS = [
  "{x} + {y} = {sum}",
  "{x} and {y} make {sum}.",
  "{x} plus {y} is {sum}",
  "Q: how much is {x} plus {y}?\nA: {sum}",
  "add: {x} and {y} =>\n{sum}",
  "{Who} has {x} {things} and finds {y} more. Now there are {sum}.",
  "{x}, {y}, together {sum}",
];
const DIFFERENCES = [
  "{sum} - {y} = {x}",
  "{sum} minus {y} is {x}",
  "take {y} away from {sum}: {x}",
  "{Who} has {sum} {things} and gives {y} away. {x} are left.",
  "Q: how much is {sum} minus {y}?\nA: {x}",
];
const OTHERS = [
  "after {x} comes {next}",
  "count: {x}, {next}, {next2}",
  "{x} < {next}",
  "{next} > {x}",
  "{xWord} = {xDigit}",
];

/** A document of one to four lines in one wording; results are 0 to 20. */
export function arithmetic(random: Random): string {
  const form = random.pick(random.pick([SUMS, SUMS, DIFFERENCES, OTHERS]));
  const inWords = random.chance(0.5);
  const show = (n: number): string => inWords ? WORDS[n] : String(n);
  return Array.from({ length: random.integer(1, 4) }, () => {
    const [x, y] = [random.integer(0, 10), random.integer(0, 10)];
    return fill(form, {
      x: show(x),
      y: show(y),
      sum: show(x + y),
      next: show(x + 1),
      next2: show(x + 2),
      xWord: WORDS[x],
      xDigit: String(x),
      who: random.pick(PEOPLE),
      things: random.pick(THINGS),
    });
  }).join("\n");
}
