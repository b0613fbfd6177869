/**
 * How much goes into one submission. A driver ends one that keeps a graphics card busy for seconds, and the
 * screen stands still meanwhile: work is handed over in parts of about 0.1 s, by an estimate.
 * @module
 */
import type { Launch } from "../../device.ts";

/** Multiply-adds that last as long as the memory traffic of one element. */
const PER_ELEMENT = 5;

/** Multiply-adds a second of the slowest card that is thought of: a laptop's. */
const SLOWEST = 2.5e10;

/** Seconds of one submission. */
const SUBMISSION = 0.1;

/** Shortest wait, in seconds, that tells something of the speed: shorter ones are mostly the call's own. */
const TELLING = 0.005;

/** Waits that are remembered: those of a training step or two, whose parts differ in speed. */
const REMEMBERED = 8;

/**
 * About how long a launch takes, in multiply-adds: those of a product (M, N, K) or of attention (B, T, H, D)
 * by the letters of its dims, and the elements that it binds.
 */
export function workOf({ dims, bind }: Pick<Launch, "dims" | "bind">): number {
  const { M = 0, N = 0, K = 0, B = 0, T = 0, H = 0, D = 0 } = dims;
  const elements = Object.values(bind).reduce((sum, [, count]) => sum + count, 0);
  return M * N * K + B * H * T * T * D + PER_ELEMENT * elements;
}

/** Learns from how long work took. No result depends on it: the order stays. */
export class Pace {
  #rates: number[] = []; // of the last waits
  #enqueued = 0; // since the queue was last empty
  #since = 0; // when the first of it was

  /** Work that one submission may hold. */
  get most(): number {
    const slowest = this.#rates.length > 0 ? Math.min(...this.#rates) : 0;
    return Math.max(slowest, SLOWEST) * SUBMISSION;
  }

  /** Notes work that is about to be submitted, at `now` seconds. */
  submit(work: number, now: number): void {
    if (this.#enqueued === 0) this.#since = now;
    this.#enqueued += work;
  }

  /** Notes that all of it is done. */
  done(now: number): void {
    const took = now - this.#since;
    if (this.#enqueued > 0 && took > TELLING) {
      this.#rates = [...this.#rates.slice(1 - REMEMBERED), this.#enqueued / took];
    }
    this.#enqueued = 0;
  }
}
