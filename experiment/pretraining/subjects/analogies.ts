/** Pairs that stand in the same relation. @module */
import { fill, type Random } from "../random.ts";

/** Each relation with its pairs, by our own choice. */
export const RELATIONS: readonly (readonly (readonly [string, string])[])[] = [
  "cat kitten,dog puppy,cow calf,horse foal,sheep lamb,duck duckling,bear cub,hen chick,pig piglet,frog tadpole",
  "king queen,man woman,boy girl,father mother,brother sister,uncle aunt,son daughter,actor actress,prince princess",
  "bee honey,cow milk,hen egg,sheep wool,baker bread,writer book,painter picture,tailor coat,spider web,farmer corn",
  "up down,left right,hot cold,day night,big small,wet dry,open closed,fast slow,happy sad,rich poor,soft hard",
  "France Paris,Italy Rome,Spain Madrid,Japan Tokyo,Germany Berlin,Egypt Cairo,England London,Austria Vienna",
  "bird nest,dog kennel,bee hive,fish sea,horse stable,lion den,king palace,monk abbey,spider web,cow barn",
  "teacher school,doctor hospital,farmer farm,cook kitchen,judge court,sailor ship,priest church,pilot plane",
  "knife cut,pen write,broom sweep,needle sew,shovel dig,oven bake,saw saw,brush paint,key open,soap wash",
  "eye see,ear hear,nose smell,tongue taste,hand touch,foot walk,mouth speak,brain think,leg run",
  "dog bark,cat meow,cow moo,lion roar,bird sing,duck quack,bee buzz,wolf howl,sheep bleat,pig grunt",
  "rain wet,sun bright,snow cold,fire hot,ice cold,night dark,moon pale,sugar sweet,lemon sour,honey sweet,desert dry",
  "bird fly,fish swim,snake crawl,horse gallop,rabbit hop,man walk,frog jump",
  "finger hand,toe foot,leaf tree,wheel car,page book,petal flower,roof house,wing bird,word sentence,letter word",
  "go went,eat ate,see saw,run ran,take took,sing sang,write wrote,come came,give gave,buy bought",
  "one two,three four,five six,seven eight,nine ten,two three,four five,six seven,eight nine",
].map((line) => line.split(",").map((pair) => pair.split(" ") as [string, string]));

const LINES = [
  "{a}:{b} :: {c}:{d}",
  "{a} goes with {b}, and {c} goes with {d}.",
  "Just as {a} leads to {b}, {c} leads to {d}.",
  "{a} -> {b}; {c} -> {d}",
  "{a} fits {b} like {c} fits\n{d}",
  "Think of {a} and {b}. In the same way, think of {c} and {d}.",
  "({a}, {b}) ({c}, {d})",
  "{a} => {b}\n{c} => {d}",
];

/** A document of one to three analogies, each from one relation. */
export function analogies(random: Random): string {
  const line = random.pick(LINES);
  return Array.from({ length: random.integer(1, 3) }, () => {
    const [[a, b], [c, d]] = random.some(random.pick(RELATIONS), 2);
    return fill(line, { a, b, c, d });
  }).join("\n");
}
