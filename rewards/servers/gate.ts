/** Lets requests through: so many at once, so many in a minute. @module */
import { sleep } from "../../base/wait.ts";

/** What a gate needs of a clock; tests hand in another. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const CLOCK: Clock = { now: () => performance.now(), sleep };

/** One gate for all requests to one server. */
export class Gate {
  #free: number;
  #spacing: number;
  #waiting: (() => void)[] = [];
  /** When the next request may start. */
  #next = -Infinity;
  /** Before this none may. */
  #held = -Infinity;

  /** @param perMinute requests in a minute, which start at even distances; 0: no limit */
  constructor(
    atOnce: number,
    perMinute: number,
    readonly clock: Clock = CLOCK,
  ) {
    this.#free = atOnce;
    this.#spacing = perMinute > 0 ? 60_000 / perMinute : 0;
  }

  /** Runs `body` when its turn comes. @throws the signal's reason where it aborts before that */
  async run<T>(body: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      await this.#turn(signal);
      return await body();
    } finally {
      const next = this.#waiting.shift();
      if (next) next(); // the place goes from hand to hand
      else this.#free++;
    }
  }

  /** No request starts before `ms` milliseconds have passed: a server asked for that. */
  hold(ms: number): void {
    this.#held = Math.max(this.#held, this.clock.now() + ms);
  }

  #enter(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#free > 0) {
        this.#free--;
        return resolve();
      }
      const enter = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal!.reason);
      };
      this.#waiting.push(enter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  async #turn(signal?: AbortSignal): Promise<void> {
    do {
      const now = this.clock.now(), start = Math.max(now, this.#next, this.#held);
      this.#next = start + this.#spacing;
      if (start > now) await this.clock.sleep(start - now, signal);
    } while (this.clock.now() < this.#held); // since its turn was given out, the server asked to wait
  }
}
