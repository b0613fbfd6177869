import assert from "node:assert/strict";
import { learningRate, type Schedule } from "../../model/schedule.ts";

const rates = (schedule: Schedule) =>
  Array.from({ length: schedule.steps }, (_, step) => learningRate(schedule, step));

Deno.test("learningRate() warms up to the peak and stays there when constant", () => {
  assert.deepEqual(rates({ kind: "constant", peak: 8, warmup: 3, steps: 6 }), [2, 4, 6, 8, 8, 8]);
});

Deno.test("learningRate() falls in a line from the peak towards the final rate", () => {
  assert.deepEqual(rates({ kind: "linear", peak: 8, steps: 4 }), [8, 6, 4, 2]);
  assert.deepEqual(rates({ kind: "linear", peak: 8, final: 4, warmup: 1, steps: 5 }), [
    4,
    8,
    7,
    6,
    5,
  ]);
});

Deno.test("learningRate() follows half a cosine", () => {
  const [first, quarter, half] = rates({ kind: "cosine", peak: 2, final: 1, steps: 4 });
  assert.equal(first, 2);
  assert.ok(Math.abs(quarter - (1.5 + 0.5 * Math.SQRT1_2)) < 1e-12);
  assert.equal(half, 1.5);
});

Deno.test("learningRate() stays at the final rate past the end, and never wastes the only step", () => {
  assert.equal(learningRate({ kind: "linear", peak: 1, final: 0.5, steps: 3 }, 9), 0.5);
  assert.equal(learningRate({ kind: "cosine", peak: 1, steps: 1 }, 0), 1);
});

Deno.test("learningRate() refuses numbers that do not fit each other", () => {
  const good: Schedule = { kind: "linear", peak: 1, steps: 10 };
  const wrong: [Partial<Schedule>, RegExp][] = [
    [{ warmup: 11 }, /warmup is a whole number from 0 to steps 10: it is 11/],
    [{ final: 2 }, /final is 0 to peak 1: it is 2/],
    [{ peak: NaN }, /peak is finite and >= 0: it is NaN/],
    [{ steps: 0 }, /steps is a whole number above 0: it is 0/],
    [{ kind: "step" as never }, /kind is constant, linear or cosine: it is step/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => learningRate({ ...good, ...change }, 0), message);
  }
});
