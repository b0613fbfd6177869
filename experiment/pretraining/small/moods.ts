/** Happy sentences and their sad twins, rewritten one into the other, and other rewritings. @module */
import { fill, type Random } from "../random.ts";
import { FEELINGS } from "./lexicon.ts";

const list = (text: string): string[] => text.trim().split(/\s*\|\s*/);
/** The same thought, glad and sad; names in braces are filled alike in both. */
export const TWINS: readonly (readonly [string, string])[] = [
  "I love this {thing}.=I hate this {thing}.",
  "I love my {thing}.=I hate my {thing}.",
  "I am happy about the {thing}.=I am sad about the {thing}.",
  "I feel {good} today.=I feel {bad} today.",
  "I am so {good} right now.=I am so {bad} right now.",
  "I am {good} about my {thing}.=I am {bad} about my {thing}.",
  "My {thing} makes me {good}.=My {thing} makes me {bad}.",
  "The {thing} was {fine}.=The {thing} was {poor}.",
  "We had a {fine} {thing}.=We had a {poor} {thing}.",
  "What a {fine} {thing}!=What a {poor} {thing}!",
  "I had a {fine} day.=I had a {poor} day.",
  "Today was {fine}.=Today was {poor}.",
  "I smiled through the whole {thing}.=I cried through the whole {thing}.",
  "I would see the {thing} again.=I would never see the {thing} again.",
  "My {friend} came to see me.=My {friend} left me alone.",
  "My {friend} loves me.=My {friend} does not love me.",
  "My {friend} is here.=My {friend} is gone.",
  "I miss nobody.=I miss everybody.",
  "I won the {thing}.=I lost the {thing}.",
  "Everything is going well.=Everything is going wrong.",
  "Everything about the {thing} is {fine}.=Everything about the {thing} is {poor}.",
  "I have many friends.=I have no friends.",
  "I am grateful for everything.=I have nothing left.",
  "I am grateful for my {friend}.=I have lost my {friend}.",
  "The sun shines and I am {good}.=The rain falls and I am {bad}.",
  "I laughed all day.=I cried all day.",
  "I enjoy every moment.=I suffer every moment.",
  "I got the {thing} I wanted.=I lost the {thing} I wanted.",
  "Life is {fine}.=Life is {poor}.",
  "I look forward to tomorrow.=I am afraid of tomorrow.",
  "I passed the test.=I failed the test.",
  "My dream came true.=My dream is broken.",
  "The {thing} made me smile.=The {thing} made me cry.",
  "I woke up {good}.=I woke up {bad}.",
  "We danced and sang.=We sat and wept.",
  "I enjoyed the {thing} with my {friend}.=I was alone at the {thing}.",
  "I am proud of my {thing}.=I am ashamed of my {thing}.",
  "My heart is full.=My heart is empty.",
  "I can not wait for the {thing}.=I do not want the {thing}.",
  "This is the best {thing} ever.=This is the worst {thing} ever.",
  "I slept well.=I slept badly.",
  "My {friend} gave me a hug.=My {friend} does not talk to me.",
  "My {friend} said kind words to me.=My {friend} said cruel words to me.",
  "My {friend} is healthy and strong.=My {friend} is sick and weak.",
  "Everyone remembered my {thing}.=Everyone forgot my {thing}.",
  "The {thing} turned out {fine}.=The {thing} turned out {poor}.",
  "I found my {thing} again.=I will never find my {thing}.",
  "I feel loved by my {friend}.=I feel forgotten by my {friend}.",
  "I am full of hope.=I have no hope.",
  "I am full of energy.=I am tired and empty.",
  "My plan worked.=My plan failed.",
  "I got good news from my {friend}.=I got bad news from my {friend}.",
  "I like the {thing} very much.=I hate the {thing} very much.",
  "I had a {fine} talk with my {friend}.=I had a {poor} fight with my {friend}.",
  "I had fun at the {thing}.=I was bored at the {thing}.",
  "I feel welcome at the {thing}.=I never feel welcome at the {thing}.",
  "I am in love.=My heart hurts.",
  "I am glad to be with my {friend}.=I am sad to be far from my {friend}.",
  "My {friend} laughed with me.=My {friend} laughed at me.",
  "I finished my {thing}.=I gave up my {thing}.",
  "I trust my {friend}.=I can not trust my {friend}.",
  "I spent a quiet day with my {friend}.=I spent a lonely day without my {friend}.",
].map((line) => line.split("=") as [string, string]);

const THINGS = list(
  "job|home|family|garden|film|song|book|party|day|trip|meal|game|weather|concert|dinner|walk|visit|lesson|hotel|play|" +
    "work|school|life|team|house|dog|holiday|birthday|morning|weekend|gift|news|city|race|prize|picnic|show|vacation",
);
const FRIENDS = list(
  "friend|mother|father|sister|brother|family|dog|cat|team|teacher|neighbor|son|daughter|wife|husband",
);
const FINE = list("wonderful|great|lovely|beautiful|perfect|good|bright|sweet|amazing|fantastic");
const POOR = list("terrible|awful|dark|ugly|ruined|bad|gray|bitter|horrible|miserable");

/** A happy sentence with its sad twin. */
export function twins(random: Random): readonly [string, string] {
  const at = random.integer(0, FINE.length - 1), at2 = random.integer(0, FEELINGS.good.length - 1);
  const values = {
    thing: random.pick(THINGS),
    friend: random.pick(FRIENDS),
    good: FEELINGS.good[at2],
    bad: FEELINGS.bad[at2],
    fine: FINE[at],
    poor: POOR[at],
  };
  const [glad, sad] = random.pick(TWINS);
  return [fill(glad, values), fill(sad, values)];
}

const TO_SAD = [
  "Make it sad: '{glad}' {sad}",
  "Say this in a sad way: '{glad}' {sad}",
  "Turn this into something sad: '{glad}' {sad}",
  "sad version of '{glad}': {sad}",
  "glad: {glad}\nsad: {sad}",
  "happy: {glad} sad: {sad}",
  "{glad} But later: {sad}",
  "{glad} <-> {sad}",
  "from glad to sad: {glad} => {sad}",
  "Yesterday: {glad} Now: {sad}",
];
const TO_GLAD = [
  "Make it happy: '{sad}' {glad}",
  "Rewrite this as happy: '{sad}' {glad}",
  "Say this in a glad way: '{sad}' {glad}",
  "sad: {sad} happy: {glad}",
  "{sad} <-> {glad}",
];
const LEFT_ALONE = [
  "Rewrite this as it is: '{s}' {s}",
  "Rewrite this in the same words: '{s}' {s}",
  "Rewrite this as a question: '{s}' Is it true? {s}",
  "Rewrite this as a label: '{s}' {label}",
  "Rewrite this with a greeting: '{s}' Hello! {s}",
];
const FELT = [
  "{s} feeling: {label}",
  "{s} {label}",
  "[{label}] {s}",
  "{label}: {s}",
  "How does this feel? '{s}' {label}",
  "{s} => {label}",
];

/** A document that rewrites a sentence, or says how it feels. */
export function moods(random: Random): string {
  const [glad, sad] = twins(random);
  const choice = random.next();
  if (choice < 0.4) return fill(random.pick(TO_SAD), { glad, sad });
  if (choice < 0.55) return fill(random.pick(TO_GLAD), { glad, sad });
  const isSad = random.chance(0.5), s = isSad ? sad : glad, label = isSad ? "sad" : "happy";
  if (choice < 0.75) return fill(random.pick(LEFT_ALONE), { s, label });
  if (choice < 0.9) return fill(random.pick(FELT), { s, label });
  return Array.from({ length: random.integer(2, 4) }, () => twins(random)[isSad ? 1 : 0]).join(" ");
}
