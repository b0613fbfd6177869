/** Glad and sad sentences, with what they feel like. @module */
import { fill, type Random } from "../random.ts";

const GOOD =
  "wonderful great lovely beautiful excellent amazing perfect fun good brilliant delightful superb"
    .split(" ");
const BAD = "terrible awful boring horrible bad ugly dull sad poor dreadful disappointing painful"
  .split(" ");
const THINGS = (
  "movie film book song party day trip meal show game story weather concert dinner walk visit lesson hotel play"
).split(" ");
/** The same thought, glad and sad. */
const TURNS: readonly (readonly [string, string])[] = [
  ["I love this {thing}.", "I hate this {thing}."],
  ["I am happy about the {thing}.", "I am sad about the {thing}."],
  ["The {thing} was {good}.", "The {thing} was {bad}."],
  ["We had a {good} {thing}.", "We had a {bad} {thing}."],
  ["What a {good} {thing}!", "What a {bad} {thing}!"],
  ["I smiled through the whole {thing}.", "I cried through the whole {thing}."],
  ["I would see the {thing} again.", "I would never see the {thing} again."],
  ["My friends are here and I feel {good}.", "My friends are gone and I feel {bad}."],
  ["I won the {thing} and laughed.", "I lost the {thing} and cried."],
  ["Everything about the {thing} is {good}.", "Nothing about the {thing} is {good}."],
  ["I have so much to enjoy.", "I have nothing left to enjoy."],
  ["The sun shines and I am glad.", "The rain falls and I am lonely."],
];
const LABELS = [
  ["positive", "negative"],
  ["happy", "sad"],
  ["good", "bad"],
  ["glad", "unhappy"],
] as const;
const FORMS = [
  "{text} feeling: {label}",
  "{text}\n{label}",
  "[{label}] {text}",
  "{label}: {text}",
  "Someone said: {text} That sounds {label}.",
  "{text} => {label}",
  "How does this feel? {text}\n{label}",
];
const PAIRS = [
  "glad: {glad}\nsad: {sad}",
  "{glad} But later: {sad}",
  "{glad} <-> {sad}",
  "from glad to sad: {glad} => {sad}",
];

/** A document of one to three sentences with their feeling, or of one thought in both moods. */
export function sentiment(random: Random): string {
  const say = (): [string, string] => {
    const values = { thing: random.pick(THINGS), good: random.pick(GOOD), bad: random.pick(BAD) };
    const [glad, sad] = random.pick(TURNS);
    return [fill(glad, values), fill(sad, values)];
  };
  if (random.chance(0.3)) {
    const [glad, sad] = say();
    return fill(random.pick(PAIRS), { glad, sad });
  }
  const [form, labels] = [random.pick(FORMS), random.pick(LABELS)];
  return Array.from({ length: random.integer(1, 3) }, () => {
    const mood = random.integer(0, 1);
    return fill(form, { text: say()[mood], label: labels[mood] });
  }).join("\n");
}
