import assert from "node:assert/strict";
import { ECHO_MS, StopWishes } from "../../cli/interrupt.ts";

/** A clock whose timers are called as time passes, and not while the program is busy. */
class Clock {
  #now = 0;
  #timers: { at: number; call: () => void }[] = [];

  readonly after = (call: () => void, ms: number): () => void => {
    const timer = { at: this.#now + ms, call };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((of) => of !== timer));
  };

  /** Nothing is called for so many ms. */
  busy(ms: number): void {
    this.#now += ms;
  }

  /** Calls what is due, once each; what that asks for is called at the next turn. */
  turn(): void {
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { call } of due.toSorted((a, b) => a.at - b.at)) call();
  }

  /** Passes without work. */
  pass(ms: number): void {
    for (let i = 0; i < 10; i++) {
      this.#now += ms / 10;
      this.turn();
      this.turn();
    }
  }
}

/** What a row of signals asks for, each so many milliseconds after the one before. */
function wishes(...signals: [after: number, signal?: Deno.Signal][]): string[] {
  const clock = new Clock(), all = new StopWishes(clock.after);
  return signals.map(([after, signal = "SIGINT"]) => {
    clock.pass(after);
    return all.take(signal);
  });
}

Deno.test("signals within half a second are one Ctrl-C, however many; a later one ends at once", () => {
  assert.equal(ECHO_MS, 500);
  assert.deepEqual(wishes([0]), ["stop"]);
  assert.deepEqual(wishes([0], [0], [0.4], [5], [499]), ["stop", ...Array(4).fill("nothing")]);
  assert.deepEqual(wishes([0], [0.4], [500]), ["stop", "nothing", "exit"]);
  assert.deepEqual(wishes([0], [3000, "SIGTERM"]), ["stop", "exit"]);
  // A key that is held repeats for longer than half a second.
  assert.deepEqual(wishes([0], [400], [400], [400]), ["stop", "nothing", "nothing", "nothing"]);
});

Deno.test("a hang-up stops a run as Ctrl-C does, and never ends at once one that stops already", () => {
  assert.deepEqual(wishes([0, "SIGHUP"]), ["stop"]);
  assert.deepEqual(wishes([0], [3000, "SIGHUP"], [3000, "SIGHUP"]), ["stop", "nothing", "nothing"]);
  assert.deepEqual(wishes([0, "SIGHUP"], [3000]), ["stop", "exit"]);
});

Deno.test("what is heard late is no second wish: it may have come while a pass was computed", () => {
  for (const timerFirst of [false, true]) {
    const clock = new Clock(), all = new StopWishes(clock.after);
    assert.equal(all.take("SIGINT"), "stop");
    clock.busy(3000); // amid which the echo arrives
    if (timerFirst) clock.turn();
    assert.equal(all.take("SIGINT"), "nothing");
    clock.turn();
    clock.turn();
    assert.equal(all.take("SIGINT"), "nothing"); // another echo: the time begins anew
    clock.pass(ECHO_MS);
    assert.equal(all.take("SIGINT"), "exit");
  }
});
