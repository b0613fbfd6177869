/** Saying something again, word for word or changed in one way. @module */
import { fill, type Random } from "../random.ts";
import { sentence, somebody } from "./lexicon.ts";

const AGAIN = [
  "Say it again: {s}\n{s}",
  "Repeat after me: {s} {s}",
  "{s} I said: {s}",
  "echo: {s} => {s}",
  "{Who} wrote '{s}' and {other} wrote '{s}' too.",
  'One voice: "{s}" Another voice: "{s}"',
  "input: {s}\noutput: {s}",
  "Repeat this line: '{s}' {s}",
  "Write the sentence once more: '{s}' {s}",
  "Say these words: '{s}'\n{s}",
  "Type what you see: '{s}' {s}",
  "{s} | {s}",
  "{s}\n{s}",
  "The sign says '{s}' What does it say? {s}",
];
/** Orders with a quoted sentence that want something else than the sentence again. */
const CHANGED: readonly (readonly [string, (s: string, random: Random) => string])[] = [
  ["Give the first word of this sentence: '{s}' {x}", (s) => s.split(" ")[0]],
  [
    "Give the last word of this sentence: '{s}' {x}",
    (s) => s.replace(/\.$/, "").split(" ").at(-1)!,
  ],
  [
    "Answer this sentence: '{s}' {x}",
    (_, random) => random.pick(["I see.", "Is that so?", "That is nice.", "Why?"]),
  ],
  ["Ask about this: '{s}' {x}", (s) => `Is it true? ${s}`],
  ["Count the words of this sentence: '{s}' {x}", (s) => String(s.split(" ").length)],
  ["Say no to this sentence: '{s}' {x}", (s) => `No, it is not true that ${lower(s)}`],
  ["Say who told you this sentence: '{s}' {x}", (s, random) => `${somebody(random)[0]} said: ${s}`],
];
/** Text with a gap, and text that goes on as it began before. */
const PATTERNS = [
  "{w} {v} {w} {v} {w} {v}",
  "{w}, {v}, {u}; {w}, {v}, {u}",
  "{w} {v} {u}\n{w} {v} {u}",
];

const lower = (s: string): string =>
  /^(The|There|We|My|It|A|An|On|In|At) /.test(s) ? s.charAt(0).toLowerCase() + s.slice(1) : s;

/**
 * Gives a generator of documents that repeat a sentence, a row of words, or change a sentence.
 *
 * @param words words that rows are made of
 * @param given further sentences, such as examples of WordNet
 */
export function copies(
  words: readonly string[],
  given: readonly string[] = [],
): (random: Random) => string {
  return (random) => {
    const choice = random.next();
    if (choice < 0.12) {
      const [w, v, u] = random.some(words, 3);
      return fill(random.pick(PATTERNS), { w, v, u });
    }
    const s = given.length > 0 && random.chance(0.3) ? random.pick(given) : sentence(random);
    if (choice < 0.3) {
      const [form, change] = random.pick(CHANGED);
      return fill(form, { s, x: change(s, random) });
    }
    const [who] = somebody(random), [other] = somebody(random);
    return fill(random.pick(AGAIN), { s, who, other });
  };
}
