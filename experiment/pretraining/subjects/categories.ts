/** Things and the kinds they belong to. @module */
import { fill, type Random } from "../random.ts";

/** Each kind with some of its members, by our own choice of everyday words. */
export const KINDS_OF_THINGS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  (
    "fruit: apple banana orange pear grape cherry lemon peach plum mango melon kiwi fig\n" +
    "vegetable: carrot potato onion tomato cabbage pea bean spinach pepper cucumber garlic lettuce\n" +
    "animal: dog cat horse cow sheep pig lion tiger elephant bear wolf fox rabbit mouse monkey goat\n" +
    "bird: eagle sparrow owl duck chicken goose parrot crow swan robin penguin pigeon hawk\n" +
    "fish: salmon shark trout tuna cod carp eel herring\n" +
    "insect: ant bee fly butterfly beetle mosquito moth wasp\n" +
    "furniture: chair table bed sofa desk shelf couch cupboard wardrobe bench stool\n" +
    "vehicle: car bus train bicycle truck boat ship plane tram taxi motorcycle van\n" +
    "clothing: shirt coat hat shoe sock dress jacket scarf glove trousers skirt helmet\n" +
    "color: red blue yellow green orange purple pink brown black white gray\n" +
    "tool: hammer saw drill wrench axe shovel knife screwdriver rake pliers\n" +
    "instrument: piano guitar violin drum flute trumpet harp cello\n" +
    "sport: football tennis hockey golf swimming boxing rugby skiing\n" +
    "drink: water milk tea coffee juice beer wine lemonade\n" +
    "food: bread cheese rice soup cake pizza egg butter pasta meat\n" +
    "country: France Germany Spain Italy Japan China India Brazil Egypt Canada\n" +
    "city: Paris London Rome Berlin Madrid Tokyo Cairo Vienna\n" +
    "job: teacher doctor nurse baker farmer driver cook pilot judge lawyer painter\n" +
    "flower: rose tulip daisy lily sunflower violet orchid\n" +
    "tree: oak pine birch maple willow palm cedar\n" +
    "metal: iron gold silver copper steel lead tin\n" +
    "number: one two three four five six seven eight nine ten\n" +
    "season: spring summer autumn winter\n" +
    "shape: circle square triangle oval cube sphere\n" +
    "body part: hand foot head arm leg nose ear eye mouth knee finger"
  ).split("\n").map((line) => {
    const [kind, members] = line.split(": ");
    return [kind, members.split(" ")];
  }),
);

const NAMES = Object.keys(KINDS_OF_THINGS);
const LINES = [
  "{word} is a kind of {kind}.",
  "{word}: {kind}",
  "{word} -> {kind}",
  "Q: what sort of thing is {word}?\nA: {kind}",
  "{Word} belongs with the word {kind}.",
  "We file {word} under {kind}.",
  "group of {word} =>\n{kind}",
  "Is {word} a {kind}? Yes, {word} is a {kind}.",
  "Is {word} a {wrong}? No, {word} is a {kind}.",
  "{kind}: {word}, {word2}, {word3}",
  "{word}, {word2} and {word3} are all of one kind:\n{kind}",
  "{Word} and {word2}: each one is a {kind}.",
  "class({word}) = {kind}",
];

/** A document of one to four things in one wording. */
export function categories(random: Random): string {
  const line = random.pick(LINES);
  return random.some(NAMES, random.integer(1, 4)).map((kind) => {
    const [word, word2, word3] = random.some(KINDS_OF_THINGS[kind], 3);
    const wrong = random.pick(NAMES.filter((name) => name !== kind));
    return fill(line, { kind, wrong, word, word2, word3 });
  }).join("\n");
}
