/** Questions with answers, and requests with helpful replies. @module */
import { fill, type Random } from "../random.ts";
import { instruction } from "./instructions.ts";
import { FEELINGS, NAMES, sentence } from "./lexicon.ts";

const pairs = (text: string): [string, string][] =>
  text.trim().split("|").map((fact) => fact.trim().split("=") as [string, string]);

/** Questions with one short answer. */
export const FACTS: readonly (readonly [string, string])[] = pairs(
  "What do we drink?=water|Where do fish live?=in the sea|What does a cow eat?=grass|What melts in the sun?=ice|" +
    "What falls from clouds?=rain|What shines at night?=the moon|What shines by day?=the sun|How many legs has a dog?=four|" +
    "How many days has a week?=seven|What comes from bees?=honey|What do we read?=a book|What do we sleep in?=a bed|" +
    "Who teaches children?=a teacher|Who bakes bread?=a baker|Who helps the sick?=a doctor|What season is cold?=winter|" +
    "What season is hot?=summer|What do birds have?=wings|What opens a lock?=a key|What tells the time?=a clock|" +
    "What cuts paper?=scissors|What color is the sky?=blue|What color is grass?=green|What color is snow?=white|" +
    "What color is coal?=black|What color is blood?=red|What color is a banana?=yellow|What color is chocolate?=brown|" +
    "What is the first month?=January|Which day comes after Monday?=Tuesday|What comes after night?=day|" +
    "Where do we buy food?=at the market|Where do trains stop?=at the station|What do we wear on our feet?=shoes|" +
    "What do we wear in the rain?=a coat|How many legs has a spider?=eight|How many months are in a year?=twelve|" +
    "What do cows give?=milk|What do hens lay?=eggs|Which city is the capital of France?=Paris|Which city is the capital of Italy?=Rome|" +
    "Which city is the capital of Spain?=Madrid|Which city is the capital of Japan?=Tokyo|Who flies a plane?=a pilot|" +
    "Who grows food?=a farmer|What do we hear with?=ears|What do we see with?=eyes|Where do birds sleep?=in a nest|" +
    "What animal barks?=a dog|What animal says meow?=a cat|What is frozen water?=ice|What do we write with?=a pen|" +
    "How many fingers has a hand?=five|What do plants need?=water and light|What is the opposite of up?=down",
);
const ASK = [
  "Q: {q}\nA: {a}",
  "{q} {a}.",
  "{q}\n{a}",
  '"{q}" "{A}."',
  "Question: {q} Answer: {a}",
  "Question: {q}\nAnswer: {a}",
  "{q} => {a}",
  "Answer briefly. {q}\n{a}",
];

/** Matters that people ask about, each with advice that fits it. */
const MATTERS: readonly { topic: string; advice: string[] }[] = (
  "sleep better=go to bed at the same time every night;keep your room dark and quiet;drink no coffee in the evening;read a calm book before bed\n" +
  "feel less stress=take a short walk every day;breathe slowly for a minute;talk to a friend;do one thing at a time\n" +
  "cook dinner=wash the vegetables first;boil some rice;add a little salt;let the soup cook slowly\n" +
  "learn a language=learn five words every day;listen to songs;talk with people who speak it;read easy books\n" +
  "save money=write down what you spend;cook at home;buy only what you need;put some money aside each week\n" +
  "start a garden=choose a place with sun;dig the ground well;plant a few seeds;give them water in the morning\n" +
  "get fit=walk or run three times a week;begin slowly;eat more fruit;rest when you are tired\n" +
  "make friends=smile and say hello;ask people about their day;join a club;listen with care\n" +
  "find a job=write a short letter;tell people that you are looking;practice for the talk;be on time\n" +
  "plan a party=make a list of guests;choose a day;prepare some food;play good music\n" +
  "clean the house=begin with one room;open the windows;wash the floor last;put things back in their place\n" +
  "study for a test=make a plan;study a little every day;sleep well the night before;explain it to a friend\n" +
  "feel less sad=talk to someone you trust;go outside for a while;listen to music you love;be kind to yourself\n" +
  "write a letter=say hello first;tell what happened;ask a question;end with good wishes\n" +
  "take care of a dog=walk it twice a day;give it fresh water;play with it;take it to the doctor when it is sick\n" +
  "stay healthy=drink enough water;eat vegetables;move every day;sleep eight hours\n" +
  "be on time=get up earlier;set a clock;pack your bag in the evening;leave ten minutes early\n" +
  "bake bread=mix flour and water;add salt and a little sugar;let it rest for an hour;bake it until it is brown\n" +
  "read more books=keep a book near your bed;read ten pages a day;choose books you like;visit the library\n" +
  "make a pot of tea=boil the water;pour it over the leaves;wait four minutes;add a little honey\n" +
  "clean the windows=use warm water;wipe it with a soft cloth;begin at the top;dry it well\n" +
  "pack for a trip=take a warm coat;put the shoes in first;take something to read;bring some water\n" +
  "help a sad friend=listen without many words;ask what would help;bring some tea;stay for a while\n" +
  "stay calm=breathe slowly;count to ten;go outside;think of something nice\n" +
  "get up early=go to bed early;put the clock far from the bed;open the curtains;drink a glass of water\n" +
  "get over a cold=drink warm tea with honey;rest a lot;keep warm;eat some soup"
).split("\n").map((line) => {
  const [topic, advice] = line.split("=");
  return { topic, advice: advice.split(";") };
});
/** Things that people want explained. */
const EXPLAINED = pairs(
  "why leaves turn yellow=In autumn the days get short and the leaf loses its green color. Then we see the yellow below it.|" +
    "what rain is=Water rises from the sea as air. It cools in clouds and falls down as drops.|" +
    "why the sky is blue=Light from the sun has many colors. The air spreads the blue light most, so we see blue.|" +
    "how bees make honey=Bees gather sweet juice from flowers. In the hive they dry it until it is honey.|" +
    "what a computer does=A computer follows small steps very fast. People write the steps, and the computer does them.|" +
    "why we sleep=Sleep lets the body rest and the brain sort the day. Without it we get tired and sick.|" +
    "how a plane flies=The wings push air down, and the air pushes the plane up. The engines keep it moving.|" +
    "what the moon is=The moon is a ball of stone that goes around the earth. It shines because the sun lights it.|" +
    "how plants grow=A plant takes water from the ground and light from the sun. From these it makes its food.|" +
    "why ice floats=Ice is lighter than water of the same size. So it stays on top.|" +
    "what a friend is=A friend is a person who knows you and likes you. Friends help each other.|" +
    "how machines learn=A machine looks at many examples. Step by step it changes its numbers until its answers fit.",
);
const REQUESTS = [
  "How can I {topic}?",
  "How do I {topic}?",
  "I want to {topic}. What should I do?",
  "Can you help me to {topic}?",
  "Give me some tips to {topic}.",
  "Tell me how to {topic}.",
  "What helps to {topic}?",
  "Please help me {topic}.",
];
const OPENERS = [
  "",
  "",
  "Sure! ",
  "Of course. ",
  "Good question. ",
  "I can help with that. ",
  "Gladly. ",
];
const JOINS = [
  "{A1}. Then {a2}.",
  "{A1} and {a2}.",
  "You can {a1}. It also helps to {a2}.",
  "First, {a1}. Next, {a2}. And {a3}.",
  "Try to {a1}. You could also {a2}.",
  "1. {A1}. 2. {A2}. 3. {A3}.",
];
const CLOSERS = ["", "", "", " Good luck!", " I hope this helps.", " You can do it."];
/** Replies that help nobody; few, so that there is something to learn. */
const POOR = [
  "I do not know.",
  "No.",
  "Why do you ask?",
  "That is your problem.",
  "Maybe.",
  "Ask somebody else.",
];
const FRAMES = [
  "User: {q}\nHelper: {a}",
  "Question: {q}\nAnswer: {a}",
  "{q}\n{a}",
  "{q} {a}",
  "Request: {q}\nReply: {a}",
  "{Who}: {q}\n{Other}: {a}",
  '"{q}" asked {who}. "{a}" said {other}.',
];

/** A document of short facts, of a request with its reply, or of small talk. */
export function dialogue(random: Random): string {
  const choice = random.next();
  if (choice < 0.25) {
    const form = random.pick(ASK);
    return random.some(FACTS, random.integer(1, 3)).map(([q, a]) => fill(form, { q, a })).join(
      "\n",
    );
  }
  const [[who], [other]] = random.some(NAMES, 2);
  if (choice < 0.4) return smallTalk(random, who, other);
  return fill(random.pick(FRAMES), { ...exchange(random), who, other });
}

function exchange(random: Random): { q: string; a: string } {
  if (random.chance(0.4)) return instruction(random);
  if (random.chance(0.25)) {
    const [what, reply] = random.pick(EXPLAINED);
    const ask = random.pick([
      "Explain to me {what}.",
      "Can you explain {what}?",
      "Tell me {what}.",
      "I wonder {what}.",
    ]);
    return { q: fill(ask, { what }), a: reply };
  }
  const { topic, advice } = random.pick(MATTERS);
  const q = fill(random.pick(REQUESTS), { topic });
  if (random.chance(0.2)) return { q, a: random.pick(POOR) };
  const [a1, a2, a3] = random.some(advice, 3);
  const a = random.pick(OPENERS) + fill(random.pick(JOINS), { a1, a2, a3 }) + random.pick(CLOSERS);
  return { q, a };
}

function smallTalk(random: Random, who: string, other: string): string {
  const isGood = random.chance(0.5);
  const feeling = random.pick(isGood ? FEELINGS.good : FEELINGS.bad);
  const lines = [
    random.pick([
      "Hello, {other}!",
      "Good morning, {other}.",
      "Hi {other}, how are you?",
      "How was your day, {other}?",
    ]),
    fill(
      random.pick([
        "I am {feeling}.",
        "I feel {feeling} today.",
        "I am {feeling}, thank you.",
        "Today I am {feeling}.",
      ]),
      { feeling },
    ),
    isGood
      ? random.pick(["That is good to hear.", "I am glad.", "Wonderful!", "How nice!"])
      : random.pick([
        "I am sorry to hear that.",
        "Can I help you?",
        "Tell me more.",
        "It will get better.",
      ]),
    random.chance(0.5)
      ? `Do you know? ${sentence(random)}`
      : random.pick(["See you tomorrow!", "Thank you.", "Let us have tea."]),
  ];
  return lines.slice(0, random.integer(2, 4)).map((line, i) =>
    `${i % 2 === 0 ? who : other}: ${fill(line, { other })}`
  ).join("\n");
}
