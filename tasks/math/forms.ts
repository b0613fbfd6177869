/**
 * The sentences of worded problems. The last form of each list is kept for held-out problems. Every number
 * that is stated is at least 2, so that nouns are plural.
 * @module
 */

/** What can happen to a number of things. */
export type Kind = "gain" | "lose" | "times" | "share";

/** How a step is written in a sum, and what it does. */
export const STEPS: Readonly<
  Record<Kind, { sign: string; after: (value: number, number: number) => number }>
> = {
  gain: { sign: "+", after: (value, number) => value + number },
  lose: { sign: "-", after: (value, number) => value - number },
  times: { sign: "*", after: (value, number) => value * number },
  share: { sign: "/", after: (value, number) => value / number },
};

/** Who has the things, and who else is there. */
export const NAMES: readonly [readonly string[], readonly string[]] = [
  [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Grace",
    "Henry",
    "Julia",
    "Leo",
    "Maria",
    "Tom",
  ],
  [
    "Alice",
    "Carl",
    "Ella",
    "Frank",
    "Kate",
    "Mark",
    "Nina",
    "Oscar",
    "Paul",
    "Rose",
    "Sam",
    "Vera",
  ],
];

/** What there is a number of. */
// deno-fmt-ignore
export const THINGS: readonly string[] = [
  "apples", "balls", "books", "buttons", "cards", "coins", "cups", "eggs", "flowers", "marbles", "nuts",
  "pencils", "shells", "stamps", "stickers", "stones",
];

/** Forms of the first sentence, of each step and of the question. */
export const FORMS: Readonly<Record<"open" | Kind | "ask", readonly string[]>> = {
  open: [
    "NAME has NUMBER THINGS.",
    "NAME starts with NUMBER THINGS.",
    "At first NAME has NUMBER THINGS.",
    "A box that belongs to NAME holds NUMBER THINGS.",
  ],
  gain: [
    "NAME gets NUMBER more.",
    "NAME finds NUMBER more THINGS.",
    "OTHER gives NUMBER THINGS to NAME.",
    "Then NUMBER THINGS are added to them.",
  ],
  lose: [
    "NAME gives NUMBER of them to OTHER.",
    "NAME loses NUMBER of them.",
    "NAME sells NUMBER of the THINGS.",
    "Then NUMBER of them are taken away.",
  ],
  times: [
    "NAME collects until there are NUMBER times as many.",
    "Soon NAME has NUMBER times as many THINGS.",
    "The number of THINGS grows to NUMBER times what it was.",
  ],
  share: [
    "NAME puts them into NUMBER equal bags and keeps only one bag.",
    "NAME is one of NUMBER friends who share them equally.",
    "They are parted into NUMBER equal piles, and one pile is left to NAME.",
  ],
  ask: [
    "How many THINGS does NAME have now?",
    "How many THINGS does NAME have in the end?",
    "How many THINGS are there for NAME at last?",
  ],
};
