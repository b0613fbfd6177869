/** What the experiments of docs/reading share: a run that is watched, and what a command line says. @module */
import { unknownName } from "../../base/names.ts";
import type {
  CompletionRow,
  Phase,
  RunObserver,
  Split,
  Summary,
} from "../../experiment/observer.ts";

/** One experiment: `deno task experiment NAME`. */
export interface Experiment {
  name: string;
  /** What it shows, and its words. */
  doc: string;
  /**
   * Reads its words, and gives what then runs.
   * @throws {TypeError|RangeError} for words that it cannot take
   */
  prepare: (words: readonly string[]) => () => Promise<void>;
}

/** A run that nobody writes down: what its observer was told. */
export interface Watched {
  observer: RunObserver;
  /** Metrics of each step so far. */
  rows: Record<string, number>[];
  /** Greedy answers to all prompts of a split. */
  answers: (phase: Phase["phase"], split: Split) => readonly CompletionRow[];
  /** What the run came to. @throws {Error} before it has ended */
  summary: () => Summary;
}

/** An observer that remembers, and writes no checkpoint. */
export function watch(): Watched {
  const rows: Watched["rows"] = [], told = new Map<string, readonly CompletionRow[]>();
  let ended: Summary | undefined;
  return {
    rows,
    answers: (phase, split) => told.get(`${phase}:${split}`) ?? [],
    summary() {
      if (!ended) throw new Error("Cannot sum up a run as it has not ended");
      return ended;
    },
    observer: {
      start() {},
      step: ({ step, metrics }) => void rows.push({ step, ...metrics }),
      evaluation: ({ phase, split }, answers) => void told.set(`${phase}:${split}`, answers),
      checkpoint: () => Promise.resolve(),
      end: (summary) => void (ended = summary),
    },
  };
}

/** One of the choices at a place of the command line. @throws {TypeError} for another */
export function choice<C extends string>(
  words: readonly string[],
  at: number,
  { name, choices }: { name: string; choices: readonly C[] },
): C {
  const [otherwise] = choices, value = words[at] ?? otherwise;
  if (!choices.includes(value as C)) throw unknownName(name, value, choices);
  return value as C;
}

/** The number at a place of the command line. @throws {RangeError} where it is none */
export function argument(
  words: readonly string[],
  at: number,
  name: string,
  otherwise: number,
): number {
  const word = words[at], value = word === undefined ? otherwise : Number(word);
  if (word?.trim() !== "" && Number.isFinite(value)) return value;
  throw new RangeError(`Cannot experiment as the ${name} must be a number: it is "${word}"`);
}
