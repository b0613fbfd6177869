/** The threads of the CPU device: this one and workers, which compute parts of the same launches. @module */
import { Board } from "./board.ts";
import { partsOf, runPart, type SharedLaunch } from "./launches.ts";
import type { Message } from "./worker.ts";

/** One step of a program: a call that does it on this thread, and its parts where it is worth sharing. */
export interface Step {
  alone(): void;
  readonly shared?: SharedLaunch;
}

/** Workers start when this many times the least work of a part was done: not for a test of a kernel. */
const START_AFTER = 1000;

/** A worker, and the programs whose launches it has. */
interface Helper {
  readonly worker: Worker;
  readonly known: Set<number>;
}

/**
 * Runs programs on several threads. This thread does its share, so that nothing is lost where a worker
 * comes late, has gone home or cannot be had: then this thread does more, or all.
 */
export class Threads implements Disposable {
  #board = new Board();
  #helpers: Helper[] = [];
  #programs = new Map<readonly Step[], number>();
  #forget: number[] = [];
  #runs = 0;
  #lastProgram = 0;
  #work = 0;
  #alone = false;

  /** `count` threads, this one among them; parts are worth `least` multiply-adds or more. */
  constructor(readonly count: number, readonly least: number) {}

  /** Parts that workers computed. */
  get helped(): number {
    return this.#board.helped;
  }

  /** Runs the steps in order, and returns when all are done. */
  run(steps: readonly Step[]): void {
    const shared = steps.filter((step) => step.shared);
    if (shared.length === 0 || !this.#start(shared)) {
      for (const step of steps) step.alone();
      return;
    }
    try {
      this.#call(steps);
      for (const [at, { alone, shared }] of steps.entries()) {
        if (shared) this.#share(at, shared);
        else alone();
      }
    } finally {
      this.#board.end();
    }
  }

  /** Runs a step that no program keeps. */
  runOnce(step: Step): void {
    if (!step.shared) return step.alone();
    const steps = [step];
    try {
      this.run(steps);
    } finally {
      this.forget(steps);
    }
  }

  /** Takes the steps from the workers' memory: they will not run again. */
  forget(steps: readonly Step[]): void {
    const program = this.#programs.get(steps);
    if (program === undefined) return;
    this.#programs.delete(steps);
    this.#forget.push(program);
    for (const { known } of this.#helpers) known.delete(program);
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    for (const { worker } of this.#helpers.splice(0)) worker.terminate();
  }

  /** Asks the workers to help with a program. */
  #call(steps: readonly Step[]): void {
    const run = ++this.#runs, forget = this.#forget.splice(0);
    const program = this.#programs.get(steps) ?? ++this.#lastProgram;
    this.#programs.set(steps, program);
    this.#board.begin(run);
    for (const { worker, known } of this.#helpers) {
      const launches = known.has(program) ? undefined : launchesOf(steps);
      known.add(program);
      const message: Message = { board: this.#board.memory, run, program, launches, forget };
      worker.postMessage(message);
    }
  }

  /** Starts the workers when there is enough to do; false while there is not. */
  #start(steps: readonly Step[]): boolean {
    if (this.#alone) return false;
    for (const { shared } of steps) this.#work += shared!.work;
    if (this.#work < START_AFTER * this.least) return false;
    if (this.#board.left) { // one has gone home, and the others are about to
      this[Symbol.dispose]();
      this.#board = new Board();
    }
    if (this.#helpers.length === 0) {
      for (let i = 1; i < this.count; i++) this.#helpers.push(this.#helper());
    }
    return true;
  }

  #helper(): Helper {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("error", (event) => { // its module cannot be read here
      event.preventDefault();
      this.#alone = true;
      this[Symbol.dispose]();
    });
    return { worker, known: new Set() };
  }

  /** Computes a launch together with the workers. */
  #share(at: number, launch: SharedLaunch): void {
    const parts = partsOf(launch);
    let caught: { error: unknown } | undefined;
    this.#board.offer(at, parts);
    for (let left; (left = this.#board.take());) {
      try {
        runPart(launch, left);
      } catch (error) {
        caught ??= { error };
      }
      this.#board.done();
    }
    this.#board.wait(parts);
    const failure = this.#board.failure();
    if (caught) throw caught.error;
    if (failure !== undefined) {
      throw new Error(`Cannot compute ${launch.twin} as a worker failed: ${failure}`);
    }
  }
}

const launchesOf = (steps: readonly Step[]): ReadonlyMap<number, SharedLaunch> =>
  new Map(steps.flatMap(({ shared }, at) => shared ? [[at, shared]] : []));
