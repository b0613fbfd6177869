/** When to write what has gathered: at once where writing is cheap, and never for more than its share of the time. @module */

const SHARE = 20; // writing takes at most one part in this many of the time

/** The cadence of one writer. */
export class Pace {
  #next = 0;
  /** @param now clock in milliseconds */
  constructor(readonly now: () => number) {}

  /** Whether so much time has passed since the last write that another one may be made. */
  get isDue(): boolean {
    return this.now() >= this.#next;
  }

  /** Writes, and looks how long that takes. */
  async timed(write: () => Promise<void>): Promise<void> {
    const before = this.now();
    await write();
    const after = this.now();
    this.#next = after + SHARE * (after - before);
  }
}
