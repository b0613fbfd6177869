import assert from "node:assert/strict";
import fc from "fast-check";
import { type Schedule, scheduleAt } from "../../base/schedules.ts";

const base = { peak: 1, final: 0.2, warmup: 0, total: 10 };

Deno.test("constant stays, linear and cosine go from peak to final and stay there", () => {
  assert.equal(scheduleAt({ ...base, kind: "constant" }, 7), 1);
  for (const kind of ["linear", "cosine"] as const) {
    assert.equal(scheduleAt({ ...base, kind }, 0), 1);
    assert.ok(Math.abs(scheduleAt({ ...base, kind }, 5) - 0.6) < 1e-12);
    assert.ok(Math.abs(scheduleAt({ ...base, kind }, 10) - 0.2) < 1e-12);
    assert.ok(Math.abs(scheduleAt({ ...base, kind }, 99) - 0.2) < 1e-12);
  }
  const quarter = 0.2 + 0.8 * (1 + Math.SQRT1_2) / 2;
  assert.ok(Math.abs(scheduleAt({ ...base, kind: "cosine" }, 2.5) - quarter) < 1e-12);
});

Deno.test("warm-up grows evenly, never gives 0, and reaches the peak after its last step", () => {
  const schedule = { ...base, kind: "linear" as const, warmup: 3 };
  const got = [0, 1, 2, 3].map((step) => scheduleAt(schedule, step));
  assert.deepEqual(got, [0.25, 0.5, 0.75, 1]);
});

Deno.test("a schedule stays between its values and never rises after the warm-up", () => {
  const kind = fc.constantFrom("constant", "linear", "cosine") as fc.Arbitrary<
    "constant" | "linear" | "cosine"
  >;
  const n = fc.integer({ min: 0, max: 50 });
  fc.assert(fc.property(kind, n, n, (kind, warmup, total) => {
    let before = 0;
    for (let step = 0; step < 60; step++) {
      const value = scheduleAt({ ...base, kind, warmup, total }, step);
      assert.ok(value > 0 && value <= 1);
      assert.ok(step <= warmup ? value >= before : value <= before + 1e-12);
      before = value;
    }
  }));
});

const rates = (schedule: Schedule) =>
  Array.from({ length: schedule.total }, (_, step) => scheduleAt(schedule, step));

Deno.test("the rates of a run: warm-up to the peak, then constant, a line or half a cosine", () => {
  const linear: Schedule = { kind: "linear", peak: 8, final: 0, warmup: 0, total: 4 };
  assert.deepEqual(rates({ ...linear, kind: "constant", warmup: 3, total: 6 }), [2, 4, 6, 8, 8, 8]);
  assert.deepEqual(rates(linear), [8, 6, 4, 2]);
  assert.deepEqual(rates({ ...linear, final: 4, warmup: 1, total: 5 }), [4, 8, 7, 6, 5]);
  const cosine: Schedule = { ...linear, kind: "cosine", peak: 2, final: 1 };
  const [first, quarter, half] = rates(cosine);
  assert.equal(first, 2);
  assert.ok(Math.abs(quarter - (1.5 + 0.5 * Math.SQRT1_2)) < 1e-12);
  assert.equal(half, 1.5);
  assert.equal(scheduleAt({ ...linear, peak: 1, final: 0.5, total: 3 }, 9), 0.5);
  assert.equal(scheduleAt({ ...cosine, peak: 1, total: 1 }, 0), 1); // the only step is not wasted
});

Deno.test("a schedule whose numbers are not such is refused", () => {
  const good: Schedule = { kind: "linear", peak: 1, final: 0, warmup: 0, total: 10 };
  const wrong: [Partial<Schedule>, RegExp][] = [
    [{ warmup: 0.5 }, /as warmup is a whole number from 0: it is 0.5/],
    [{ warmup: -1 }, /as warmup is a whole number from 0: it is -1/],
    [{ final: Infinity }, /as final is finite: it is Infinity/],
    [{ peak: NaN }, /as peak is finite: it is NaN/],
    [{ total: -1 }, /as total is a whole number from 0: it is -1/],
    [{ kind: "step" as never }, /as kind is constant, linear or cosine: it is step/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => scheduleAt({ ...good, ...change }, 0), { name: "RangeError", message });
  }
});
