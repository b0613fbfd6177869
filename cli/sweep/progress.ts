/** What the terminal shows while a sweep is under way: which runs are, how far, and how long it still takes. @module */
import type { SweepCell } from "../../experiment/folder/sweep_file.ts";
import { Bar } from "../progress.ts";
import { clip, clipStart, duration, type Terminal } from "../terminal.ts";
import { wrap } from "../wrap.ts";
import { valueWords } from "./grid.ts";
import { TimeLeft } from "./left.ts";

const QUIET_SECONDS = 30; // without a live line, never silent for longer than this while runs take steps
/** Characters that a run's values need at least in the live line. */
const LEAST = 6;

/** How a sweep is shown. */
export interface SweepShow {
  jobs: number;
  /** Nothing is shown but what `say` is given. */
  quiet: boolean;
  /** Clock in seconds. */
  now?: () => number;
}

/** A live line at the foot of a fancy terminal; elsewhere a line now and then. */
export class SweepProgress {
  readonly #terminal: Terminal;
  readonly #cells: readonly SweepCell[];
  readonly #bar: Bar;
  readonly #left: TimeLeft;
  readonly #quiet: boolean;
  readonly #now: () => number;
  /** Runs that are under way: how far. */
  #underWay = new Map<number, { step: number; steps: number } | undefined>();
  #ended = 0;
  #of: number;
  #lastLine: number;
  #isOpen = false;

  /** @param open indices of the cells that are to be run, in their order */
  constructor(
    terminal: Terminal,
    { cells, open }: { cells: readonly SweepCell[]; open: readonly number[] },
    { jobs, quiet, now = () => performance.now() / 1000 }: SweepShow,
  ) {
    this.#terminal = terminal;
    this.#cells = cells;
    this.#bar = new Bar(terminal, "{left}");
    this.#left = new TimeLeft(new Map(open.map((i) => [i, stepsOf(cells[i])])), { jobs, now });
    [this.#quiet, this.#now, this.#of, this.#lastLine] = [quiet, now, open.length, now()];
  }

  /** `3 of 12`: how many have ended. */
  get count(): string {
    return `${this.#ended} of ${this.#of}`;
  }

  /** Whether all have. */
  get isOver(): boolean {
    return this.#ended === this.#of;
  }

  /** How long the others take, as people read it. */
  get left(): string {
    return duration(this.#left.seconds);
  }

  /** The run of this cell begins. */
  begin(i: number): void {
    this.#underWay.set(i, undefined);
    this.#left.begin(i);
    this.#show();
  }

  /** It has done `step` of its steps. */
  follow(i: number, step: number, steps: number): void {
    this.#underWay.set(i, { step, steps });
    this.#left.follow(i, step, steps);
    this.#show();
    const isDue = !this.#terminal.fancy && !this.#quiet &&
      this.#now() - this.#lastLine >= QUIET_SECONDS;
    if (isDue) { for (const line of wrap(this.#words(), this.#terminal.columns)) this.say(line); }
  }

  /** It ended, well or not. */
  end(i: number, isGood: boolean): void {
    this.#underWay.delete(i);
    this.#left.end(i, isGood);
    this.#ended++;
    this.#show();
  }

  /** Prints a line, above the live one where there is one: that terminal cuts what is too long for it. */
  say(line: string): void {
    this.#lastLine = this.#now();
    for (const part of wrap(line, this.#terminal.columns)) this.#bar.say(part);
  }

  /** Takes the live line off the terminal. */
  close(): void {
    this.#bar.close();
  }

  #show(): void {
    if (this.#quiet || !this.#terminal.fancy) return;
    if (!this.#isOpen) this.#bar.open(this.#of, 0);
    this.#isOpen = true;
    const head = `  ${this.count}  left ${this.left}`;
    this.#bar.update(this.#ended, liveLine(head, this.#runs(), this.#terminal.columns - 1));
  }

  #runs(): UnderWay[] {
    return [...this.#underWay].map(([i, at]) => ({ name: valueWords(this.#cells[i].values), at }));
  }

  /** What the live line shows, in words. */
  #words(): string {
    const runs = this.#runs().map(({ name, at }) =>
      at ? `${name} at step ${at.step} of ${at.steps}` : `${name} begins`
    );
    return `${this.count}  left ${this.left}  under way: ${runs.join("; ")}`;
  }
}

/** A run that is under way, and how far; absent before it has told. */
interface UnderWay {
  name: string;
  at?: { step: number; steps: number };
}

/**
 * All in one line of so many characters. Names are cut at their beginning, as they differ at their end; runs
 * for which there is no room are counted.
 */
export function liveLine(head: string, runs: readonly UnderWay[], room: number): string {
  const all = runs.map(({ name, at }) => ({ name, how: at ? ` ${at.step}/${at.steps}` : " -" }));
  const spare = (count: number) => {
    const more = count < all.length ? `  +${all.length - count}` : "";
    const fixed = all.slice(0, count).reduce((sum, { how }) => sum + 2 + how.length, 0);
    return { more, each: Math.floor((room - head.length - more.length - fixed) / count) };
  };
  let count = all.length;
  while (count > 0 && spare(count).each < LEAST) count--;
  const { more, each } = spare(count);
  const parts = all.slice(0, count).map(({ name, how }) =>
    `  ${clipStart(name, each, true)}${how}`
  );
  return clip(`${head}${parts.join("")}${more}`, room, true);
}

/** Steps that a run is asked for; undefined where they are the task's own. */
function stepsOf({ words }: SweepCell): number | undefined {
  const at = words.indexOf("--steps");
  return at < 0 ? undefined : Number(words[at + 1]);
}
