import assert from "node:assert/strict";
import fc from "fast-check";
import { assertClose } from "../_close.ts";
import { maskedMean, maskedVariance, meanAndStd, whiten } from "../../rl/stats.ts";
import { GRID, lay } from "./_golden.ts";

const ADVANTAGE = lay([[0.70011, 0.6738, 1.004, 0.72], [-0.476, -0.88]]);

Deno.test("whitening gives the golden numbers in both conventions", () => {
  const sample = whiten(ADVANTAGE, GRID.mask, { variance: "sample", shiftMean: true });
  const rows = [[0.5320764, 0.4979153, 0.9266493, 0.5579017], [-0.9949931, -1.5195495]];
  assertClose(sample, lay(rows, 0), "sample", 1e-6);
  const population = whiten(ADVANTAGE, GRID.mask, { variance: "population", shiftMean: true });
  const wider = [[0.5828605, 0.5454389, 1.0150934, 0.6111507], [-1.0899603, -1.6645831]];
  assertClose(population, lay(wider, 0), "population", 1e-6);
});

Deno.test("whitening without a shift gives the published 3 x 3 example", () => {
  const x = [1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2], mask = new Uint8Array(9).fill(1);
  const population = whiten(x, mask, { variance: "population", shiftMean: false });
  assertClose(population.slice(0, 3), [0.0508, 0.4381, 0.8254], "population", 1e-4);
  const sample = whiten(x, mask, { variance: "sample", shiftMean: false });
  assertClose(sample.slice(0, 3), [0.1394, 0.5046, 0.8697], "sample", 1e-4);
});

Deno.test("one value has variance 0, none has no mean, and equal values whiten to 0", () => {
  const one = Uint8Array.of(0, 1), x = [NaN, 5];
  assert.equal(maskedMean(x, one), 5);
  assert.equal(maskedVariance(x, one, "sample"), 0);
  assert.equal(maskedVariance(x, one, "population"), 0);
  assert.deepEqual([...whiten(x, one, { variance: "sample", shiftMean: true })], [0, 0]);
  assert.deepEqual([...whiten(x, one, { variance: "sample", shiftMean: false })], [0, 5]);
  assert.equal(maskedMean(x, Uint8Array.of(0, 0)), NaN);
  assert.deepEqual(
    [...whiten(x, Uint8Array.of(0, 0), { variance: "sample", shiftMean: true })],
    [0, 0],
  );
  const equal = whiten([3, 3, 3], Uint8Array.of(1, 1, 1), { variance: "sample", shiftMean: true });
  assert.deepEqual([...equal], [0, 0, 0]);
});

Deno.test("with two values sample and population differ by the square root of 2", () => {
  const mask = Uint8Array.of(1, 1);
  const [, sample] = whiten([0, 1], mask, { variance: "sample", shiftMean: true });
  const [, population] = whiten([0, 1], mask, { variance: "population", shiftMean: true });
  assert.ok(Math.abs(population / sample - Math.SQRT2) < 1e-6);
});

Deno.test("1e-8 is added to the variance, inside the root", () => {
  const mask = Uint8Array.of(1, 1);
  const [low, high] = whiten([0, 1e-4], mask, { variance: "sample", shiftMean: true });
  assertClose([low, high], [-0.40824829, 0.40824829], "5e-5 / sqrt(5e-9 + 1e-8)", 1e-6);
});

Deno.test("mean and standard deviation of a list", () => {
  assert.deepEqual(meanAndStd([1, 3]), { mean: 2, std: Math.SQRT2 });
  assert.deepEqual(meanAndStd([4]), { mean: 4, std: 0 });
});

Deno.test("whitening a masked array equals whitening the trimmed one, whatever the garbage", () => {
  const slot = fc.record({
    x: fc.float({ min: -10, max: 10, noNaN: true }),
    kept: fc.boolean(),
    garbage: fc.constantFrom(NaN, Infinity, -1e30, 7),
  });
  fc.assert(
    fc.property(fc.array(slot), fc.boolean(), fc.constantFrom("sample", "population"), (
      slots,
      shiftMean,
      variance,
    ) => {
      const mask = Uint8Array.from(slots, (s) => s.kept ? 1 : 0);
      const kept = slots.filter((s) => s.kept).map((s) => s.x);
      const options = { shiftMean, variance: variance as "sample" | "population" };
      const whole = whiten(slots.map((s) => s.kept ? s.x : s.garbage), mask, options);
      const trimmed = whiten(kept, new Uint8Array(kept.length).fill(1), options);
      assert.deepEqual([...whole.filter((_, i) => slots[i].kept)], [...trimmed]);
      assert.ok(whole.every((w, i) => slots[i].kept || w === 0));
    }),
  );
});
