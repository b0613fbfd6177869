/** The words that sentences of the second model's corpus are grown from, by our own choice. @module */
import { fill, type Random } from "../random.ts";

const list = (text: string): string[] => text.trim().split(/\s*\|\s*/);

const DOINGS = list(
  "walk home|sing a song|play with the dog|swim in the lake|wait for the bus|go to town|eat bread|drink tea|read books|" +
    "run up the hill|ride a bike|work in the garden|sit by the pond|sleep all day|bake a cake|live in a small house",
);
const MANY = list(
  "books|shoes|roses|leaves|stars|stones|letters|apples|birds|horses|toys|flowers|cups|clouds|dogs|coins",
);
const WEATHER = list(
  "wind blows|sun shines|rain falls|snow falls|moon is bright|stars are bright|sky is gray|ice is thin|wind is cold",
);

/** First names with the pronoun that stands for each. */
export const NAMES: readonly (readonly [string, "he" | "she"])[] = [
  ...list(
    "Anna|Clara|Ella|Mia|Lucy|Emma|Nora|Ruth|Sara|Lily|Rosa|Jane|Kate|Maria|Grace|Alice|Zoe|Eva|Ida|Helen",
  ).map((name) => [name, "she"] as const),
  ...list(
    "Ben|David|Finn|Tom|Sam|Leo|Max|Paul|Jack|Oscar|Peter|Mark|Hugo|Adam|Noah|John|Carl|Luke|Omar|Ivan",
  ).map((name) => [name, "he"] as const),
];

/** People without a name, with their pronoun. */
export const PEOPLE: readonly (readonly [string, "he" | "she"])[] = [
  ...list(
    "the girl|my sister|our teacher|my mother|the nurse|the queen|my aunt|the old woman|the singer|her friend|" +
      "the young woman|my grandmother|the waitress|the writer",
  ).map((name) => [name, "she"] as const),
  ...list(
    "the boy|my brother|the baker|the old man|the farmer|the doctor|my father|the driver|the neighbor|the king|" +
      "my uncle|the pilot|the judge|the sailor|the painter|his friend|the cook|my grandfather",
  ).map((name) => [name, "he"] as const),
];

/** What is done: plain form, third person, past, and the things it is done to. */
export const ACTIONS: readonly { base: string; third: string; past: string; things: string[] }[] = [
  "read reads read: book|letter|newspaper|story|poem|map|sign|message",
  "write writes wrote: letter|story|poem|book|song|message|list|report",
  "cook cooks cooked: soup|dinner|fish|meal|egg|potato",
  "eat eats ate: apple|cake|pear|sandwich|egg|soup|orange|cookie|fish",
  "buy buys bought: coat|car|book|lamp|hat|bicycle|cake|table|ticket|ring|house|toy",
  "sell sells sold: car|house|boat|horse|painting|bicycle|cow|ring",
  "open opens opened: door|window|box|bag|gate|letter|bottle|book",
  "close closes closed: door|window|box|gate|shop|book|bag",
  "wash washes washed: car|cup|plate|shirt|dog|window|floor",
  "paint paints painted: wall|picture|fence|door|chair|boat|house",
  "feed feeds fed: cat|dog|horse|bird|cow|baby|duck",
  "play plays played: game|song|piano|guitar|drum|violin",
  "find finds found: coin|key|ring|shell|map|cat|letter|stone|hat",
  "lose loses lost: key|coin|hat|ring|bag|ticket|game|shoe",
  "break breaks broke: cup|plate|window|chair|toy|bottle|pencil",
  "fix fixes fixed: chair|bicycle|car|roof|clock|lamp|radio|door",
  "carry carries carried: box|bag|basket|bottle|ladder|child|stone",
  "see sees saw: bird|ship|horse|fox|star|cloud|bear|train|film",
  "hear hears heard: song|noise|bird|story|bell|dog|voice",
  "make makes made: cake|chair|plan|toy|bed|kite|basket|mistake",
  "draw draws drew: house|tree|map|horse|circle|picture|flower",
  "plant plants planted: tree|flower|rose|bean|garden",
  "watch watches watched: film|game|bird|train|storm|play|ship",
  "visit visits visited: museum|farm|city|castle|school|village|zoo",
  "help helps helped: child|friend|neighbor|farmer|student|bird",
  "follow follows followed: dog|road|river|map|rabbit|train",
  "catch catches caught: ball|fish|bus|train|mouse|butterfly",
  "bring brings brought: cake|letter|book|flower|lamp|gift|chair",
  "hide hides hid: key|gift|coin|letter|toy|ring",
  "build builds built: house|boat|bridge|wall|fence|tower|kite",
  "cut cuts cut: cake|paper|rope|tree|bread|apple",
  "clean cleans cleaned: kitchen|room|table|floor|shoe|window",
  "love loves loved: cat|song|book|garden|game|film|city",
  "hate hates hated: noise|storm|film|game|soup|song",
  "want wants wanted: cake|horse|coat|bicycle|book|dog|toy",
  "need needs needed: coat|key|map|friend|doctor|lamp|rope",
  "leave leaves left: house|city|school|party|room|bag",
  "teach teaches taught: class|song|game|lesson|student",
  "throw throws threw: ball|stone|stick|hat|paper",
  "drive drives drove: car|bus|truck|taxi|tractor",
].map((line) => {
  const [forms, things] = line.split(": ");
  const [base, third, past] = forms.split(" ");
  return { base, third, past, things: list(things) };
});

/** What is done to nothing: third person and past. */
export const MOVES: readonly (readonly [string, string])[] = list(
  "sleeps slept|runs ran|waits waited|sings sang|laughs laughed|cries cried|works worked|swims swam|dances danced|" +
    "walks walked|rests rested|sits sat|smiles smiled|plays played|talks talked|stands stood|dreams dreamed|listens listened",
).map((pair) => pair.split(" ") as [string, string]);

export const THINGS: readonly string[] = list(
  "table|lamp|cup|garden|street|house|coat|road|bag|room|river|bridge|window|shop|tree|box|chair|door|kitchen|book|" +
    "car|boat|hat|city|wall|field|forest|bed|clock|train|bus|ship|village|school|market|church|lake|hill|path|roof|" +
    "picture|letter|basket|bottle|knife|plate|shirt|dress|shoe|glass|stone|flower|rose|apple|cake|bread|soup|ball",
);
export const ANIMALS: readonly string[] = list(
  "dog|cat|horse|cow|sheep|pig|bird|duck|fox|rabbit|mouse|bear|wolf|goat|lion|fish|frog|owl|hen|donkey|elephant|monkey",
);
export const QUALITIES: readonly string[] = list(
  "small|quiet|warm|old|new|clean|big|empty|full|dark|bright|wide|narrow|wet|dry|heavy|light|cold|hot|soft|hard|long|" +
    "short|high|low|strong|weak|cheap|rich|poor|young|thick|thin|deep|sharp|strange|simple|plain|lovely|broken|round|" +
    "red|blue|green|yellow|white|black|brown|gray|pink|orange|purple",
);
export const PLACES: readonly string[] = list(
  "in the garden|at home|in the park|near the river|at school|in the kitchen|by the sea|in the city|on the farm|" +
    "at the market|in the forest|at the station|in the library|on the hill|in the street|under the tree|by the window|" +
    "on the beach|in the mountains|at the table|behind the house|near the bridge|in the village|on the boat|in the snow",
);
export const TIMES: readonly string[] = list(
  "every morning|at night|on Monday|in the summer|after dinner|before school|on Sunday|in the evening|when it rains|" +
    "at noon|in winter|today|once a week|on Friday|after lunch|every day|in the spring|before breakfast|in the afternoon",
);
const PAST_TIMES = list(
  "yesterday|last night|last week|this morning|one day|last summer|on Tuesday|after school|an hour ago|that evening|in May",
);
export const FEELINGS = {
  good: list("happy|glad|proud|calm|cheerful|excited|grateful|hopeful|pleased|relaxed|safe|lucky"),
  bad: list("sad|angry|afraid|lonely|tired|upset|worried|ashamed|bored|gloomy|hurt|hopeless"),
};

/** "Anna" or "the baker", with the pronoun. */
export function somebody(random: Random): readonly [string, "he" | "she"] {
  return random.pick(random.chance(0.6) ? NAMES : PEOPLE);
}

/** "a red hat" or "the hat". */
export function thing(random: Random, noun: string): string {
  const quality = random.chance(0.35) ? `${random.pick(QUALITIES)} ` : "";
  return fill(`${random.pick(["a", "a", "the", "the", "her", "his", "my"])} {n}`, {
    n: quality + noun,
  });
}

const big = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** One sentence of three to twelve words with its full stop, such as "Ben found a red hat by the sea." */
export function sentence(random: Random): string {
  const [who] = somebody(random), [other] = somebody(random);
  const { third, past, things } = random.pick(ACTIONS);
  const what = thing(random, random.pick(things));
  const [moves, moved] = random.pick(MOVES);
  const values = {
    who,
    other,
    third,
    past,
    what,
    moves,
    moved,
    place: random.pick(PLACES),
    time: random.pick(TIMES),
    then: random.pick(PAST_TIMES),
    thing: random.pick(THINGS),
    animal: random.pick(ANIMALS),
    quality: random.pick(QUALITIES),
    quality2: random.pick(QUALITIES),
    thing2: random.pick(THINGS),
    they: random.pick(["they", "we", "I", "you", "the children", "my friends"]),
    do: random.pick(DOINGS),
    many: random.pick(MANY),
    where: random.pick(["on", "under", "near", "behind", "in front of", "by"]),
    weather: random.pick(WEATHER),
    feeling: random.pick(random.pick([FEELINGS.good, FEELINGS.bad])),
  };
  return fill(random.pick(FORMS), values);
}

const FORMS = [
  "{Who} {past} {what}.",
  "{Who} {past} {what}.",
  "{Who} {past} {what} {then}.",
  "{Who} {past} {what} {place}.",
  "{Then}, {who} {past} {what}.",
  "{Who} {third} {what} {time}.",
  "{Time}, {who} {third} {what}.",
  "{Who} {moves} {place}.",
  "{Who} {moved} {place} {then}.",
  "The {animal} {moves} {place}.",
  "The {quality} {animal} {moved} {place}.",
  "The {thing} is {quality}.",
  "The {thing} {place} is {quality}.",
  "The {thing} was {quality} and {quality2}.",
  "There is a {quality} {thing} {place}.",
  "There was a {animal} {place}.",
  "{Who} has a {quality} {thing}.",
  "{Who} is {feeling} {time}.",
  "{Who} was {feeling} {then}.",
  "{Who} and {other} {moved} {place}.",
  "{Who} gave {other} a {quality} {thing}.",
  "{Who} wants to see the {animal}.",
  "The {animal} {moved}, and {who} {past} {what}.",
  "We saw a {animal} {place}.",
  "I like the {quality} {thing}.",
  "My {thing} is {quality}.",
  "It is {quality} {place}.",
  "{They} {do} {place}.",
  "{They} {do} {time}.",
  "My {thing} is full of {many}.",
  "The {thing} is {where} the {thing2}.",
  "Put the {thing} {where} the {thing2}.",
  "{They} like the {quality} {many}.",
  "{They} have two {quality} {many}.",
  "The {many} are {quality} {time}.",
  "The {weather} {place}.",
  "{They} can see the {thing} from here.",
];

/** A few sentences about one person, in which one thing leads to another. */
export function story(random: Random): string {
  const [who, pronoun] = somebody(random), [friend] = somebody(random);
  const { base, past, things } = random.pick(ACTIONS);
  const noun = random.pick(things), animal = random.pick(ANIMALS);
  const isGood = random.chance(0.5);
  const values = {
    who,
    he: pronoun,
    his: pronoun === "he" ? "his" : "her",
    him: pronoun === "he" ? "him" : "her",
    friend,
    base,
    past,
    noun,
    animal,
    quality: random.pick(QUALITIES),
    place: random.pick(PLACES),
    then: random.pick(PAST_TIMES),
    feeling: random.pick(isGood ? FEELINGS.good : FEELINGS.bad),
    before: random.pick(isGood ? FEELINGS.bad : FEELINGS.good),
  };
  const parts = [
    random.pick([
      "{Then}, {who} wanted to {base} a {noun}.",
      "{Who} had a {quality} {noun}.",
      "{Who} lived {place}.",
      "There was a {quality} {noun} {place}.",
      "{Who} was {before} {then}.",
    ]),
    random.pick([
      "{He} met a {animal} {place}.",
      "{He} asked {friend} for help.",
      "{Friend} was there too.",
      "{He} looked for {friend} {place}.",
      "The {animal} came and sat by {him}.",
    ]),
    ...(random.chance(0.6) ? [sentence(random)] : []),
    random.pick(isGood ? GOOD_TURNS : BAD_TURNS),
    random.pick([
      "In the end {who} was {feeling}.",
      "So {he} felt {feeling}.",
      "{Who} went home, {feeling}.",
    ]),
    ...(random.chance(0.4)
      ? [
        random.pick([
          '"{Quality} is good," said {friend}.',
          "They talked until night.",
          "The {animal} slept.",
        ]),
      ]
      : []),
  ];
  return parts.map((part) => fill(part, values)).map(big).join(" ");
}

const GOOD_TURNS = [
  "Together they {past} a {noun}, and it went well.",
  "{Friend} smiled and gave {him} a {noun}.",
  "Then the sun came out and everyone laughed.",
  "At last {he} {past} the {noun} that {he} wanted.",
  "{His} friends came, and they ate and sang.",
];
const BAD_TURNS = [
  "But nobody came, and it began to rain.",
  "But the {noun} was gone.",
  "{Friend} said no and went away.",
  "Then the {animal} ran away with the {noun}.",
  "{He} fell and hurt {his} leg.",
];
