/** The words of shared memory by which threads hand out the parts of a launch among themselves. @module */

/** Where each word lies. */
const RUN = 0, STEP = 1, TICKET = 2, DONE = 3, HELPED = 4, LEFT = 5, FAILED = 6, WORDS = 7;
const TEXT = WORDS * 4, TEXT_BYTES = 1024;

const COUNT_BITS = 10, COUNT = 2 ** COUNT_BITS - 1;

/**
 * The ticket counts down the parts that nobody took yet; its high bits change with every launch, so that
 * one who looked at an older launch cannot take a part of this one by mistake. The thread that runs the
 * program offers; it takes parts too, and never waits for a thread that has taken none. Only when all
 * parts are done it goes on: so RUN and STEP hold still for whoever holds a part.
 */
export class Board {
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(readonly memory = new SharedArrayBuffer(TEXT + TEXT_BYTES)) {
    this.#words = new Int32Array(memory, 0, WORDS);
  }

  /** Parts that threads other than the offering one took. */
  get helped(): number {
    return Atomics.load(this.#words, HELPED);
  }

  /** Whether a thread has gone home since nothing ran. */
  get left(): boolean {
    return Atomics.load(this.#words, LEFT) !== 0;
  }

  /** Says that this thread goes home. */
  leave(): void {
    Atomics.store(this.#words, LEFT, 1);
  }

  /** Begins run number `run` of a program. */
  begin(run: number): void {
    Atomics.store(this.#words, RUN, run);
  }

  /** Ends the run: threads that wait for a part of it stop. */
  end(): void {
    Atomics.store(this.#words, RUN, 0);
    this.#publish(0);
  }

  /** Offers `parts` parts, at most 1023, of the program's launch number `step`. */
  offer(step: number, parts: number): void {
    Atomics.store(this.#words, STEP, step);
    Atomics.store(this.#words, DONE, 0);
    this.#publish(parts);
  }

  #publish(parts: number): void {
    const launch = (Atomics.load(this.#words, TICKET) >> COUNT_BITS) + 1;
    Atomics.store(this.#words, TICKET, (launch << COUNT_BITS) | parts);
    Atomics.notify(this.#words, TICKET);
  }

  /** Takes a part of the launch on offer; gives how many were left, this one among them, if any was. */
  take(): number | undefined {
    for (;;) {
      const ticket = Atomics.load(this.#words, TICKET);
      if ((ticket & COUNT) === 0) return undefined;
      if (this.#claim(ticket)) return ticket & COUNT;
    }
  }

  /** As `take`, but waits for a part of run `run`; undefined when that is over. */
  takeOf(run: number): { step: number; left: number } | undefined {
    for (;;) {
      const ticket = Atomics.load(this.#words, TICKET);
      if (Atomics.load(this.#words, RUN) !== run) return undefined;
      if ((ticket & COUNT) === 0) Atomics.wait(this.#words, TICKET, ticket);
      else if (this.#claim(ticket)) {
        Atomics.add(this.#words, HELPED, 1);
        return { step: Atomics.load(this.#words, STEP), left: ticket & COUNT };
      }
    }
  }

  #claim(ticket: number): boolean {
    return Atomics.compareExchange(this.#words, TICKET, ticket, ticket - 1) === ticket;
  }

  /** Says that a part which was taken is done. */
  done(): void {
    Atomics.add(this.#words, DONE, 1);
    Atomics.notify(this.#words, DONE);
  }

  /** Waits until all `parts` are done. */
  wait(parts: number): void {
    for (;;) {
      const done = Atomics.load(this.#words, DONE);
      if (done >= parts) return;
      waitWhile(this.#words, DONE, done);
    }
  }

  /** Leaves word of what went wrong in a part; the first one stays. */
  fail(error: unknown): void {
    const text = new Uint8Array(TEXT_BYTES); // apart: encoders do not write to shared memory
    const { written } = new TextEncoder().encodeInto(String(error), text);
    if (Atomics.compareExchange(this.#words, FAILED, 0, written) !== 0) return;
    new Uint8Array(this.memory, TEXT, TEXT_BYTES).set(text);
  }

  /** What went wrong in a part since the last call, if anything did. */
  failure(): string | undefined {
    const length = Atomics.exchange(this.#words, FAILED, 0);
    if (length === 0) return undefined;
    return new TextDecoder().decode(new Uint8Array(this.memory, TEXT, length).slice());
  }
}

/** Sleeps where this thread may, and else looks again: a page's own thread must not sleep. */
function waitWhile(words: Int32Array<SharedArrayBuffer>, at: number, value: number): void {
  try {
    Atomics.wait(words, at, value);
  } catch {
    // looks again
  }
}
