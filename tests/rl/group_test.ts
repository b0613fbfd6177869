import assert from "node:assert/strict";
import { groupAdvantages, type GroupConfig } from "../../rl/group.ts";
import { assertClose } from "../_close.ts";

const near = (got: ArrayLike<number>, want: ArrayLike<number>, atol: number) =>
  assertClose(got, want, "numbers", atol);

const PLAIN: GroupConfig = {
  groupSize: 4,
  baseline: "mean",
  advantageScale: "sample",
  advantageEpsilon: 1e-4,
};

/** Advantages of scores, of which null is none. */
function of(scores: (number | null)[], config: Partial<GroupConfig> = {}) {
  return groupAdvantages(
    Float32Array.from(scores, (s) => s ?? NaN),
    scores.map((s) => s !== null),
    { ...PLAIN, ...config },
  );
}

Deno.test("four conventions of one name give four advantages", () => {
  const R = [1, 0, 0, 1], signs = [1, -1, -1, 1];
  const cases: [Partial<GroupConfig>, number][] = [
    [{}, 0.8658754], // TRL
    [{ advantageEpsilon: 1e-6 }, 0.8660239], // verl
    [{ advantageScale: "population" }, 0.9998], // DeepSeek
    [{ advantageScale: "none" }, 0.5], // Dr. GRPO
    [{ advantageScale: "none", baseline: "leave-one-out" }, 2 / 3], // RLOO
  ];
  for (const [config, size] of cases) {
    near(of(R, config).advantage, signs.map((s) => s * size), 5e-8);
  }
});

Deno.test("batch scaling keeps each group's mean, and divides by the spread of all", () => {
  const R = [1, 0, 0, 1, 2, 2, 2, 2, 0.5, 1.5, -1, 3];
  const mean = R.reduce((s, x) => s + x) / 12;
  const std = Math.sqrt(R.reduce((s, x) => s + (x - mean) ** 2, 0) / 11);
  const got = of(R, { advantageScale: "batch" });
  near(
    got.advantage.slice(0, 4),
    [0.5, -0.5, -0.5, 0.5].map((x) => x / (std + 1e-4)),
    1e-12,
  );
  assert.deepEqual([...got.advantage.slice(4, 8)], [0, 0, 0, 0]);
  assert.equal(got.equalShare, 1 / 3);
});

Deno.test("equal scores are equal: exactly 0, whatever rounding would make of their mean", () => {
  for (const value of [0.1, 0.3, 0.7, 0.95, 0.6561]) {
    for (const count of [2, 3, 5, 6, 7, 8, 16]) {
      for (const advantageScale of ["sample", "population", "batch", "none"] as const) {
        for (const baseline of ["mean", "leave-one-out"] as const) {
          const config = { groupSize: count, advantageScale, baseline, advantageEpsilon: 0 };
          const got = of(Array(count).fill(value), config);
          assert.deepEqual([...got.advantage], Array(count).fill(0), `${value} x ${count}`);
          assert.equal(got.equalShare, 1);
        }
      }
    }
  }
});

Deno.test("one score apart from seven equal ones: what exact arithmetic gives", () => {
  const x = Math.fround(0.95), R = [0, ...Array(7).fill(0.95)];
  const mean = 7 * x / 8, std = Math.sqrt((mean ** 2 + 7 * (x - mean) ** 2) / 7);
  const got = of(R, { groupSize: 8, advantageEpsilon: 0 });
  near(got.advantage, [-mean / std, ...Array(7).fill((x - mean) / std)], 1e-14);
  const others = of(R, { groupSize: 8, advantageScale: "none", baseline: "leave-one-out" });
  near(others.advantage, [-x, ...Array(7).fill(x / 7)], 1e-14);
});

Deno.test("a response without a score counts in no statistic; a score alone has nothing to learn from", () => {
  const got = of([1, null, 0, null, null, null, null, 5, null, null, null, null]);
  const size = 0.5 / (Math.SQRT1_2 + 1e-4);
  near(got.advantage, [size, 0, -size, ...Array(9).fill(0)], 1e-12);
  assert.equal(got.equalShare, 0.5); // of two groups with a score
  assert.ok(Number.isNaN(of([null, null, null, null]).equalShare));
});
