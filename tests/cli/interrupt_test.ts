import assert from "node:assert/strict";
import { ECHO_MS, StopWishes } from "../../cli/interrupt.ts";

/** What a row of signals asks for, each so many milliseconds after the one before. */
function wishes(...signals: [after: number, signal?: Deno.Signal][]): string[] {
  let now = 1e6;
  const all = new StopWishes(() => now);
  return signals.map(([after, signal = "SIGINT"]) => {
    now += after;
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
