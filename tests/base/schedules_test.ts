import assert from "node:assert/strict";
import fc from "fast-check";
import { scheduleAt } from "../../base/schedules.ts";

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
