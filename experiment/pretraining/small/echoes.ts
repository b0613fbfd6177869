/**
 * A sentence, or words in no order, said again word for word. Nothing but looking back tells how words in
 * no order go on, so that copying is learned from them; later stages read these.
 * @module
 */
import { fill, type Random } from "../random.ts";
import { ANIMALS, PLACES, QUALITIES, sentence, THINGS } from "./lexicon.ts";

const AGAIN = [
  "Echo this: '{s}' {s}",
  "Say exactly this: '{s}' {s}",
  "The words are: '{s}' Once more: {s}",
  "'{s}' and again '{s}'",
  "{s} {s}",
  "{s}\n{s}\n{s}",
];

/** Gives a generator of echoes, `words` among the words in no order. */
export function echoes(words: readonly string[]): (random: Random) => string {
  const lists = [words, THINGS, ANIMALS, QUALITIES, PLACES];
  return (random) => {
    const s = random.chance(0.5) ? sentence(random) : jumble(random, lists);
    return fill(random.pick(AGAIN), { s });
  };
}

function jumble(random: Random, lists: readonly (readonly string[])[]): string {
  const words = Array.from(
    { length: random.integer(3, 8) },
    () => random.chance(0.2) ? "the" : random.pick(random.pick(lists)),
  );
  const text = words.join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
