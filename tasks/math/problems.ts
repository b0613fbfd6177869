/**
 * Makes worded problems of arithmetic: somebody has a number of things, and one to three things happen.
 * The same settings give the same problems. Nothing is from a data set.
 * @module
 */
import { drawWords, STREAMS } from "../../base/random.ts";
import { FORMS, type Kind, NAMES, STEPS, THINGS } from "./forms.ts";

/** One problem with its answer, a whole number from 1 to 999. */
export interface Problem {
  question: string;
  answer: number;
  /** Its numbers and what happens to them from left to right, such as `7+5/3`: no two splits share one. */
  sum: string;
  /** True where its sentences are of forms that training never has. */
  newForm: boolean;
}

/** What a level allows. */
interface Level {
  steps: number;
  kinds: readonly Kind[];
  /** Greatest number that is stated, and that comes out of a step. */
  most: number;
  mostResult: number;
  /** Greatest factor and divisor. */
  mostTimes: number;
}

const ALL: readonly Kind[] = ["gain", "lose", "times", "share"];
/** By level, from 1 on. */
export const LEVELS: Readonly<Record<number, Level>> = {
  1: { steps: 1, kinds: ["gain", "lose"], most: 9, mostResult: 18, mostTimes: 1 },
  2: { steps: 1, kinds: ALL, most: 99, mostResult: 198, mostTimes: 9 },
  3: { steps: 2, kinds: ALL, most: 49, mostResult: 199, mostTimes: 5 },
  4: { steps: 3, kinds: ALL, most: 99, mostResult: 999, mostTimes: 9 },
};

const HELD_OUT = 0.2;
const MAX_STALE = 100_000; // problems in a row, after which no new one is looked for

/** Numbers from 0 on, each of which depends on the seed, the level, the problem and its place alone. */
class Draws {
  #draw = 0;
  constructor(readonly seed: number, readonly level: number, readonly problem: number) {}

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    const place = { draw: this.#draw++, problem: this.problem, level: this.level };
    const [word] = drawWords(STREAMS.problems, this.seed, place);
    return least + Math.floor(word / 2 ** 32 * (most - least + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)];
  }
}

/** What may happen to `value` things, with the numbers that it may happen with. */
function choices(value: number, { kinds, most, mostResult, mostTimes }: Level): [Kind, number[]][] {
  const range = (to: number, fits: (n: number) => boolean) =>
    Array.from({ length: Math.max(0, to - 1) }, (_, i) => i + 2).filter(fits);
  const all: Record<Kind, number[]> = {
    gain: range(most, (n) => value + n <= mostResult),
    lose: range(most, (n) => n < value),
    times: range(mostTimes, (n) => value * n <= mostResult),
    share: range(mostTimes, (n) => value % n === 0 && value > n),
  };
  return kinds.map((kind): [Kind, number[]] => [kind, all[kind]])
    .filter(([, numbers]) => numbers.length > 0);
}

/** 5+7-2 and 7+5-2 are one sum: whoever knows one knows the other. */
const unordered = (sum: string): string =>
  sum.replace(
    /^(\d+)([+*])(\d+)/,
    (_, a, sign, b) => Number(a) < Number(b) ? `${b}${sign}${a}` : `${a}${sign}${b}`,
  );

/** A problem without its question, and the forms of each of its sentences. */
function makeProblem(
  level: Level,
  draws: Draws,
): Pick<Problem, "answer" | "sum"> & { texts: string[][] } {
  let value = draws.between(2, level.most), sum = `${value}`;
  const [name, other] = [draws.pick(NAMES[0]), draws.pick(NAMES[1])], things = draws.pick(THINGS);
  const fill = (form: string, number = 0) =>
    form.replaceAll("NAME", name).replaceAll("OTHER", other).replaceAll("THINGS", things)
      .replaceAll("NUMBER", `${number}`);
  const texts = [FORMS.open.map((form) => fill(form, value))];
  for (let step = 0; step < level.steps; step++) {
    const [kind, numbers] = draws.pick(choices(value, level));
    const number = draws.pick(numbers), { sign, after } = STEPS[kind];
    value = after(value, number);
    sum += `${sign}${number}`;
    texts.push(FORMS[kind].map((form) => fill(form, number)));
  }
  texts.push(FORMS.ask.map((form) => fill(form)));
  return { answer: value, sum, texts };
}

/**
 * `count` problems of a level, a fifth of them held out. No sum is in both splits, and no question comes
 * twice. Every other held-out problem has a form of sentence that training never has, the last of each list.
 * @param options.seed 0 to 2^32 - 1
 * @throws {RangeError} where the level has not so many
 */
export function makeProblems(
  { level, count, seed }: { level: number; count: number; seed: number },
): { train: Problem[]; heldout: Problem[] } {
  const made: { train: Problem[]; heldout: Problem[] } = { train: [], heldout: [] };
  const heldoutCount = Math.max(1, Math.round(HELD_OUT * count));
  const wanted = { train: count - heldoutCount, heldout: heldoutCount };
  const questions = new Set<string>(), splitOf = new Map<string, "train" | "heldout">();
  for (let problem = 0, last = 0; questions.size < count; problem++) {
    if (problem - last > MAX_STALE) {
      throw new RangeError(
        `Cannot make ${count} problems of level ${level} as it has not so many: it has made ` +
          `${questions.size}, and none that is new in ${MAX_STALE}; lower count`,
      );
    }
    const draws = new Draws(seed, level, problem);
    const isHeld = draws.between(1, 10) <= 10 * HELD_OUT;
    const { texts, answer, sum } = makeProblem(LEVELS[level], draws);
    const key = unordered(sum), split = splitOf.get(key) ?? (isHeld ? "heldout" : "train");
    splitOf.set(key, split);
    if (made[split].length === wanted[split]) continue;
    const newForm = split === "heldout" && made.heldout.length % 2 === 1;
    const question = texts.map((forms) => newForm ? forms.at(-1)! : draws.pick(forms.slice(0, -1)))
      .join(" ");
    if (questions.has(question)) continue;
    questions.add(question);
    made[split].push({ question, answer, sum, newForm });
    last = problem;
  }
  return made;
}
