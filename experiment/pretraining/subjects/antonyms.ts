/** Words and their opposites. @module */
import { fill, type Random } from "../random.ts";

/** Pairs of opposites, by our own choice of everyday words. */
export const OPPOSITES: readonly (readonly [string, string])[] = (
  "big small,large little,hot cold,warm cool,fast slow,quick slow,happy sad,good bad,high low,tall short," +
  "long short,wide narrow,thick thin,fat thin,heavy light,dark light,bright dim,old new,old young," +
  "rich poor,strong weak,hard soft,hard easy,difficult simple,loud quiet,noisy silent,clean dirty," +
  "wet dry,full empty,open closed,near far,early late,first last,left right,up down,in out,inside outside," +
  "over under,above below,front back,top bottom,day night,morning evening,summer winter,black white," +
  "true false,right wrong,yes no,begin end,start stop,come go,give take,push pull,buy sell,win lose," +
  "love hate,laugh cry,live die,remember forget,find lose,build destroy,rise fall,arrive leave," +
  "sharp dull,smooth rough,sweet bitter,brave afraid,kind cruel,polite rude,safe dangerous,healthy sick," +
  "awake asleep,alive dead,always never,many few,more less,most least,everything nothing,everyone nobody," +
  "before after,past future,north south,east west,boy girl,man woman,king queen,friend enemy,peace war," +
  "hero villain,question answer,problem solution,beautiful ugly,clever stupid,wise foolish,lucky unlucky," +
  "calm angry,proud ashamed,deep shallow,straight crooked,tight loose,fresh stale,raw cooked,cheap expensive," +
  "public private,same different,ancient modern,gentle harsh,busy idle,careful careless,visible hidden," +
  "increase decrease,accept refuse,attack defend,borrow lend,float sink,freeze melt,enter exit," +
  "success failure,profit loss,winner loser,heaven hell,maximum minimum,major minor,legal illegal," +
  "often rarely,again once,quite hardly,polite impolite,thick slim,generous greedy,honest dishonest"
).split(",").map((pair) => pair.split(" ") as [string, string]);

const LINES = [
  "{a} and {b} are opposites.",
  "{A} is the reverse of {b}.",
  "not {a} but {b}",
  "{a} <-> {b}",
  "{a} / {b}",
  "antonyms: {a}, {b}",
  "Q: which word is opposite to {a}?\nA: {b}",
  "If it is not {a}, it is {b}.",
  "It was {a} at first; now it is {b}.",
  "The word {a} has an opposite:\n{b}",
  "opposite({a}) = {b}",
  "{a} -> opposite -> {b}",
  'What is the contrary of "{a}"? It is "{b}".',
  "turn {a} around =>\n{b}",
];

/** A document of one to four pairs in one wording, each in either order. */
export function antonyms(random: Random): string {
  const line = random.pick(LINES);
  return random.some(OPPOSITES, random.integer(1, 4)).map((pair) => {
    const [a, b] = random.chance(0.5) ? pair : [pair[1], pair[0]];
    return fill(line, { a, b });
  }).join("\n");
}
