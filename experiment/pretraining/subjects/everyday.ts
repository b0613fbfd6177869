/** Everyday sentences, grown from a small grammar of our own. @module */
import { fill, type Random } from "../random.ts";

const PEOPLE = [
  ..."the girl|the boy|my sister|my brother|our teacher|the baker|the old man|a farmer|the doctor"
    .split("|"),
  ..."Anna|Ben|Clara|David|Ella|Finn|Mia|Tom|Lucy|Sam|my aunt|the driver|the neighbor".split("|"),
];
const ACTIONS = [
  ..."reads a book|cooks soup|opens the window|washes the car|paints a wall|feeds the cat".split(
    "|",
  ),
  ..."writes a letter|plays the piano|drinks tea|buys bread|closes the door|waters the flowers"
    .split("|"),
  ..."sings a song|cleans the kitchen|walks the dog|looks at the sky|makes a cake|fixes a chair"
    .split("|"),
  ..."draws a house|picks apples|carries a box|waits for the bus|tells a story|finds a coin".split(
    "|",
  ),
];
const PLACES = [
  ..."in the garden|at home|in the park|near the river|at school|in the kitchen|by the sea".split(
    "|",
  ),
  ..."in the city|on the farm|at the market|in the forest|at the station|in the library".split("|"),
];
const TIMES = [
  ..."every morning|at night|on Monday|in the summer|after dinner|before school|on Sunday".split(
    "|",
  ),
  ..."in the evening|when it rains|at noon|in winter|today|once a week".split("|"),
];
const THINGS = [
  ..."table|lamp|cup|garden|street|house|coat|road|bag|room|river|bridge|window|shop|tree".split(
    "|",
  ),
];
const QUALITIES = [
  ..."small|quiet|warm|old|new|clean|big|empty|full|dark|bright|wide|narrow|wet|dry|heavy".split(
    "|",
  ),
];
const FORMS = [
  "{P} {action} {place}.",
  "{P} {action} {time}.",
  "{Time}, {p} {action} {place}.",
  "{P} {action} {place} {time}.",
  "The {thing} {place} is {quality}.",
  "The {thing} is {quality}, and the {other} is {quality2}.",
  "{P} has a {quality} {thing}.",
  "There is a {quality} {thing} {place}.",
  "{P} {action}, and {p2} {action2}.",
];

/** One sentence with its full stop, such as "The girl reads a book in the garden." */
export function sentence(random: Random): string {
  const [p, p2] = random.some(PEOPLE, 2);
  const [action, action2] = random.some(ACTIONS, 2);
  const [thing, other] = random.some(THINGS, 2);
  const [quality, quality2] = random.some(QUALITIES, 2);
  const [place, time] = [random.pick(PLACES), random.pick(TIMES)];
  return fill(random.pick(FORMS), {
    p,
    p2,
    action,
    action2,
    thing,
    other,
    quality,
    quality2,
    place,
    time,
  });
}

/** A document of one to four sentences. */
export function everyday(random: Random): string {
  return Array.from({ length: random.integer(1, 4) }, () => sentence(random)).join(" ");
}
