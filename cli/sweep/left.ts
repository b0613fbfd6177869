/** How long a sweep still takes. @module */
import { mean } from "../../base/statistics/moments.ts";

/** A run that was begun: seconds of the clock, and steps. */
interface Course {
  began: number;
  /** Steps of the whole run; undefined until it is known. */
  steps?: number;
  /** Whether it has told how many steps it has: what it tells next is the end of one. */
  isOpen?: boolean;
  /** The end of its first step here, and of its last one so far. */
  first?: { step: number; at: number };
  last?: { step: number; at: number };
}

/** What runs of a sweep have in common, in seconds; NaN where nobody knows yet. */
interface Pace {
  /** From a run's begin to the end of its first step. */
  head: number;
  /** A step after the first, which compiles shaders. */
  step: number;
  /** From its last step to its end. */
  tail: number;
  /** All of a run that came to a good end. */
  whole: number;
  /** Steps of a run. */
  steps: number;
}

/**
 * Works it out from how long runs took for what they did, while so many went on at once, and from who is free
 * when: a run that waits begins as soon as one that is under way ends.
 */
export class TimeLeft {
  #jobs: number;
  #now: () => number;
  #waiting: Map<number, number | undefined>;
  #courses = new Map<number, Course>();
  #done: { course: Course; ended: number }[] = [];

  /**
   * @param runs steps of each by its key, where they are asked for, in the order in which they begin
   * @param options.now clock in seconds
   */
  constructor(
    runs: ReadonlyMap<number, number | undefined>,
    { jobs, now }: { jobs: number; now: () => number },
  ) {
    this.#waiting = new Map(runs);
    this.#jobs = jobs;
    this.#now = now;
  }

  /** A run is under way. */
  begin(key: number): void {
    this.#courses.set(key, { began: this.#now(), steps: this.#waiting.get(key) });
    this.#waiting.delete(key);
  }

  /** It has done `step` of its steps: called as it begins, and after each. */
  follow(key: number, step: number, steps: number): void {
    const course = this.#courses.get(key);
    if (!course) return;
    if (course.isOpen) course.last = { step, at: this.#now() };
    course.first ??= course.last;
    Object.assign(course, { steps, isOpen: true });
  }

  /** It ended; one that came to no good end says nothing of the others. */
  end(key: number, isGood: boolean): void {
    const course = this.#courses.get(key);
    this.#courses.delete(key);
    if (course && isGood) this.#done.push({ course, ended: this.#now() });
  }

  /** Seconds; NaN while nothing is known. */
  get seconds(): number {
    const pace = this.#pace(), now = this.#now();
    const ends = [...this.#courses.values()].map((course) => restOf(course, pace, now));
    while (ends.length < this.#jobs) ends.push(0); // who is free
    for (const steps of this.#waiting.values()) {
      const next = ends.indexOf(Math.min(...ends));
      if (next < 0) return NaN; // how long one of them takes is not known
      ends[next] += wholeOf(steps, pace);
    }
    return Math.max(...ends);
  }

  #pace(): Pace {
    const all = [...this.#done.map(({ course }) => course), ...this.#courses.values()];
    const told = all.flatMap(({ began, first, last }) =>
      first && last ? [{ began, first, last }] : []
    );
    const spent = told.map(({ first, last }) => last.at - first.at);
    const taken = told.map(({ first, last }) => last.step - first.step);
    const tails = this.#done.flatMap(({ course: { last }, ended }) =>
      last ? [ended - last.at] : []
    );
    return {
      head: mean(told.map(({ began, first }) => first.at - began)),
      step: mean(spent) / mean(taken),
      tail: tails.length === 0 ? 0 : mean(tails),
      whole: mean(this.#done.map(({ course, ended }) => ended - course.began)),
      steps: mean(all.flatMap(({ steps }) => steps ?? [])),
    };
  }
}

/** What a run that is under way still takes. */
function restOf({ began, steps, last }: Course, pace: Pace, now: number): number {
  return last && steps !== undefined
    ? Math.max(0, times(steps - last.step, pace.step) + pace.tail - (now - last.at))
    : Math.max(0, wholeOf(steps, pace) - (now - began));
}

/** What a run takes, of so many steps where that is known. */
function wholeOf(steps: number | undefined, { whole, ...pace }: Pace): number {
  const seconds = pace.head + times((steps ?? pace.steps) - 1, pace.step) + pace.tail;
  return Number.isNaN(seconds) ? whole : seconds;
}

/** Nothing takes no time, however long one takes. */
const times = (count: number, seconds: number): number => count === 0 ? 0 : count * seconds;
