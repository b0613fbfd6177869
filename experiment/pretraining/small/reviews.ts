/** Reviews of films, of our own making: what was good or bad, in many combinations. @module */
import { fill, type Random } from "../random.ts";

const list = (text: string): string[] => text.trim().split(/\s*\|\s*/);
const PARTS = list(
  "story|plot|acting|music|ending|beginning|script|dialogue|camera work|pace|cast|humor|action|lead actor|" +
    "lead actress|villain|hero|sound|setting|direction|final scene|first half|second half|romance",
);
const GENRES = list(
  "comedy|drama|thriller|western|war film|love story|horror film|cartoon|musical|crime film|family film|adventure|" +
    "science fiction film|documentary|mystery",
);
const ABOUT = list(
  "two brothers|a lost dog|a young doctor|a bank robbery|a small town|a family at war|an old sailor|a haunted house|" +
    "a teacher and her class|a trip to the moon|a famous singer|a man who loses his memory|a king and his son|" +
    "a girl who wants to dance|three friends on a train|a detective near the end of his life",
);
const GOOD = list(
  "wonderful|great|lovely|beautiful|excellent|amazing|perfect|fun|brilliant|delightful|superb|moving|clever|touching|" +
    "fresh|strong|charming|fantastic|gripping|funny",
);
const BAD = list(
  "terrible|awful|boring|horrible|bad|ugly|dull|weak|poor|dreadful|disappointing|painful|slow|stupid|flat|empty|cheap|" +
    "annoying|pointless|predictable",
);
const OPENINGS = [
  "I saw this {genre} {when}.",
  "This is a {genre} about {about}.",
  "This film tells of {about}.",
  "A {genre} about {about}.",
  "I watched it {when} with {with}.",
  "{With} told me to see this {genre}.",
  "I had heard a lot about this {genre}.",
  "It begins with {about}.",
];
const WHEN = list(
  "last night|on television|at the cinema|years ago|on a rainy day|twice|last week|on a plane|as a child",
);
const WITH = list("my wife|my husband|a friend|my son|my daughter|my brother|my family|my class");
const BODY = {
  good: [
    "The {part} was {good}.",
    "The {part} is {good} and the {part2} is {good2}.",
    "I loved the {part}.",
    "What a {good} {part}!",
    "I laughed and I cried.",
    "The {part} kept me watching to the end.",
    "Every scene is {good}.",
    "The actors are {good} in every scene.",
    "You will enjoy the {part}.",
    "I was never bored.",
    "It has a {good} {part}, and the {part2} works too.",
    "It made me think about my own life.",
    "Not one minute is too long.",
  ],
  bad: [
    "The {part} was {bad}.",
    "The {part} is {bad} and the {part2} is {bad2}.",
    "I hated the {part}.",
    "What a {bad} {part}!",
    "I nearly fell asleep.",
    "The {part} makes no sense.",
    "Every scene is {bad}.",
    "The actors are {bad} in every scene.",
    "Nobody will enjoy the {part}.",
    "I was bored from the start.",
    "It has a {bad} {part}, and the {part2} does not work either.",
    "I wanted to leave after ten minutes.",
    "It is far too long.",
  ],
} as const;
const VERDICT = {
  good: [
    "I would see it again.",
    "One of the best films of the year.",
    "I recommend it to everyone.",
    "A {good} film.",
    "Go and see it!",
    "Ten out of ten.",
    "Do not miss it.",
    "It is worth your time.",
  ],
  bad: [
    "I would never see it again.",
    "One of the worst films of the year.",
    "I recommend it to no one.",
    "A {bad} film.",
    "Stay away from it!",
    "One out of ten.",
    "Do not waste your money.",
    "It is a waste of time.",
  ],
} as const;
const BUT = {
  good: [
    "The {part} is a little {bad}, but that is a small thing.",
    "At first I found it {bad}, but then it got better.",
  ],
  bad: [
    "The {part} is {good}, but that does not save it.",
    "At first I found it {good}, but then it got worse.",
  ],
} as const;
const LABELS = ["\nrating: {label}", " ({label})", "\nreview: {label}", ""];

/** Half of all documents have one mood throughout; the others change it or mix it. */
export function reviews(random: Random): string {
  let mood = random.pick(["good", "bad"] as const);
  const values = () => {
    const [part, part2] = random.some(PARTS, 2), [good, good2] = random.some(GOOD, 2);
    const [bad, bad2] = random.some(BAD, 2),
      [genre, about] = [random.pick(GENRES), random.pick(ABOUT)];
    return {
      part,
      part2,
      good,
      good2,
      bad,
      bad2,
      genre,
      about,
      when: random.pick(WHEN),
      with: random.pick(WITH),
    };
  };
  const say = (forms: readonly string[]): string => fill(random.pick(forms), values());
  const parts = random.chance(0.7) ? [say(OPENINGS)] : [];
  const turns = random.chance(0.25); // a review that changes its mind
  const length = random.integer(1, 5);
  for (let i = 0; i < length; i++) {
    if (turns && i === Math.floor(length / 2)) mood = mood === "good" ? "bad" : "good";
    parts.push(say(random.chance(0.15) ? BUT[mood] : BODY[mood]));
  }
  if (random.chance(0.7)) parts.push(say(VERDICT[mood]));
  const label = fill(random.pick(LABELS), { label: mood === "good" ? "positive" : "negative" });
  return parts.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join(" ") + label;
}
