/** The words of the second model's corpus that have one right answer each. @module */
import { OPPOSITES } from "../subjects/antonyms.ts";
import { RELATIONS } from "../subjects/analogies.ts";
import { KINDS_OF_THINGS } from "../subjects/categories.ts";

/** Words with their opposites, in this direction; several words may share an opposite. */
const DIRECTED = (
  "big small,large small,huge tiny,tiny huge,hot cold,cold hot,warm cool,tall short,long short," +
  "short long,high low,low high,wide narrow,broad narrow,narrow wide,thick thin,fat thin,fast slow," +
  "rapid slow,slow fast,early late,late early,new old,young old,old young,good bad,evil good," +
  "bad good,best worst,happy sad,glad sad,sad happy,strong weak,weak strong,hard easy,soft hard," +
  "easy hard,difficult easy,rough smooth,smooth rough,sharp blunt,heavy light,light heavy," +
  "dark light,full empty,empty full,open closed,clean dirty,dirty clean,wet dry,damp dry,dry wet," +
  "dead alive,rich poor,wealthy poor,cheap expensive,expensive cheap,costly cheap,loud quiet," +
  "noisy quiet,true false,right wrong,correct wrong,left right,near far,inside outside,up down," +
  "top bottom,front back,always never,seldom often,rarely often,start stop,win lose,find lose," +
  "come go,push pull,buy sell,purchase sell,love hate,laugh cry,forget remember,accept refuse," +
  "rise fall,create destroy,build destroy,sick healthy,ill healthy,clever stupid,smart stupid," +
  "kind cruel,beautiful ugly,pretty ugly,friend enemy"
).split(",").map((pair) => pair.split(" ") as [string, string]);

const known = new Set(DIRECTED.map(([word]) => word));
const news = (pairs: readonly (readonly [string, string])[]) => {
  const back = pairs.flatMap(([a, b]) => [[a, b], [b, a]] as const).filter(([a]) => !known.has(a));
  return back.filter(([a], i) => back.findIndex(([other]) => other === a) === i);
};

/** Words with their opposites: each word once, as what is asked about. */
export const ANSWERED_OPPOSITES: readonly (readonly [string, string])[] = [
  ...DIRECTED,
  ...news([...DIRECTED, ...OPPOSITES]),
];

const MEMBERS: Readonly<Record<string, string>> = {
  fruit: "apple banana orange grape cherry lemon pear peach strawberry",
  vegetable: "carrot potato onion cabbage pea spinach broccoli lettuce garlic",
  animal: "dog cat horse cow lion bear rabbit elephant monkey",
  bird: "eagle owl robin duck sparrow crow parrot penguin pigeon",
  fish: "salmon trout tuna cod shark herring carp",
  insect: "ant bee fly mosquito beetle butterfly wasp",
  furniture: "chair table sofa bed desk cupboard shelf bench",
  clothing: "shirt coat dress hat sock skirt glove jacket scarf",
  vehicle: "car truck bus train bicycle boat tractor van taxi",
  tool: "hammer saw drill shovel axe wrench rake screwdriver",
  instrument: "piano guitar violin drum flute trumpet harp cello",
  flower: "rose tulip daisy lily violet sunflower orchid daffodil",
};

/** Kinds with their members: a word belongs to one kind alone. */
export const ANSWERED_KINDS: Readonly<Record<string, readonly string[]>> = (() => {
  const kinds = Object.fromEntries(
    Object.entries(MEMBERS).map(([kind, words]) => [kind, words.split(" ")]),
  );
  const taken = new Set(Object.values(kinds).flat());
  for (const [kind, words] of Object.entries(KINDS_OF_THINGS)) {
    kinds[kind] = [...(kinds[kind] ?? []), ...words.filter((word) => !taken.has(word))];
    for (const word of words) taken.add(word);
  }
  return Object.fromEntries(Object.entries(kinds).filter(([, words]) => words.length >= 3));
})();

/** Relations with their pairs. */
export const ANSWERED_RELATIONS: readonly (readonly (readonly [string, string])[])[] = (() => {
  const asked = (
    "dog puppy,cat kitten,cow calf,horse foal,sheep lamb,lion cub,duck duckling|" +
    "bee honey,cow milk,hen egg,sheep wool,tree wood|" +
    "hot cold,big small,up down,wet dry,day night,open closed,rich poor|" +
    "knife cut,pen write,broom sweep,shovel dig,axe chop,oven bake,brush paint|" +
    "eye see,ear hear,nose smell,tongue taste,hand touch|" +
    "teacher school,doctor hospital,farmer farm,cook kitchen,judge court,sailor ship,priest church|" +
    "king queen,man woman,boy girl,father mother,brother sister,uncle aunt,husband wife|" +
    "one two,two three,three four,four five,five six,six seven|" +
    "foot feet,tooth teeth,mouse mice,man men,child children,woman women|" +
    "go went,see saw,eat ate,take took,give gave,run ran|" +
    "bird wing,fish fin,tree branch,flower petal,car wheel,book page,house room|" +
    "grass green,snow white,coal black,blood red,sky blue,sun yellow|" +
    "bird nest,bee hive,spider web,bear cave,horse stable,fish water"
  ).split("|").map((line) => line.split(",").map((pair) => pair.split(" ") as [string, string]));
  const seen = new Set(asked.flat().map(([a]) => a));
  const others = RELATIONS.map((pairs) => pairs.filter(([a]) => !seen.has(a)));
  return [...asked, ...others.filter((pairs) => pairs.length >= 3)].map((pairs) =>
    pairs.map(([a, b]) => [a, b] as const)
  );
})();
