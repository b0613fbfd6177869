import assert from "node:assert/strict";
import { columnAdvantages, type ComparisonConfig, groupAdvantages } from "../../rl/group.ts";
import { assertClose } from "../_close.ts";

const near = (got: ArrayLike<number>, want: ArrayLike<number>, atol: number) =>
  assertClose(got, want, "numbers", atol);

const PLAIN: ComparisonConfig = {
  groupSize: 4,
  baseline: "mean",
  advantageScale: "sample",
  advantageEpsilon: 1e-4,
};

/** Advantages of scores, of which null is none. */
function of(scores: (number | null)[], config: Partial<ComparisonConfig> = {}) {
  return groupAdvantages(
    Float32Array.from(scores, (s) => s ?? NaN),
    scores.map((s) => s !== null),
    { ...PLAIN, ...config },
  );
}

Deno.test("four conventions of one name give four advantages", () => {
  const R = [1, 0, 0, 1], signs = [1, -1, -1, 1];
  const cases: [Partial<ComparisonConfig>, number][] = [
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

/** Advantages of several rewards, each one score a response or null. */
function ofColumns(
  rewards: { weight: number; scores: (number | null)[] }[],
  config: Partial<ComparisonConfig> = {},
) {
  const scored = rewards[0].scores.map((_, b) => rewards.some(({ scores }) => scores[b] !== null));
  const columns = rewards.map(({ weight, scores }, k) => ({
    ...{ name: `r${k}`, weight, score: Float32Array.from(scores, (s) => s ?? 999) },
    scored: scores.map((s) => s !== null),
  }));
  return columnAdvantages(columns, scored, { ...PLAIN, ...config });
}

Deno.test("each reward is compared on its own, by hand: two groups of two, weights 1 and 0.5", () => {
  const config = { groupSize: 2, advantageEpsilon: 0 };
  const got = ofColumns([
    { weight: 1, scores: [0, 1, 0, 1] },
    { weight: 0.5, scores: [100, 300, 7, -1] },
  ], config);
  // Each z-score of two is +-1/sqrt(2): sums are -1.5, 1.5, -0.5, 0.5 of it, their variance 5/6.
  const std = Math.sqrt(5 / 6 * 2);
  near(got.advantage, [-1.5, 1.5, -0.5, 0.5].map((x) => x / std), 1e-12);
  assert.equal(got.equalShare, 0);
});

Deno.test("the scale of a reward has no say where each is compared on its own, and all of it in a sum", () => {
  const right = [1, 0, 0, 1, 0, 1, 1, 1], length = [3, 9, 4, 4, 1, 2, 8, 2];
  const by = (factor: number) =>
    ofColumns(
      [{ weight: 1, scores: right }, { weight: 1, scores: length.map((x) => x * factor) }],
      {
        advantageEpsilon: 0,
      },
    ).advantage;
  near(by(1000), by(1), 1e-5);
  const sum = (factor: number) => of(right.map((x, b) => x + factor * length[b])).advantage;
  near(sum(1000), of(length).advantage, 1e-2);
});

Deno.test("a reward that gave null has no part in that response's advantage, nor the response in its statistics", () => {
  const config = { groupSize: 3, advantageEpsilon: 0 };
  const got = ofColumns([
    { weight: 1, scores: [1, 0, 1, null, null, null] },
    { weight: 2, scores: [null, 5, 6, null, 4, 4] },
  ], config);
  const third = Math.sqrt(1 / 3), second = Math.SQRT1_2; // z-scores of 1, 0, 1 and of 5, 6
  const x = [third, -2 * third - 2 * second, third + 2 * second, 0, 0];
  const std = Math.sqrt(x.reduce((sum, of) => sum + of ** 2, 0) / 4); // five responses have a score
  near(got.advantage, [x[0], x[1], x[2], 0, 0, 0].map((of) => of / std), 1e-12);
  assert.equal(got.equalShare, 0.5);
  const none = ofColumns([{ weight: 1, scores: [null, null, null] }], { groupSize: 3 });
  assert.deepEqual([[...none.advantage], none.equalShare], [[0, 0, 0], NaN]);
});

Deno.test("a group that no reward tells apart gets exactly 0, whatever rounding makes of the batch's mean", () => {
  const got = ofColumns([
    { weight: 0.3, scores: [0.1, 0.7, 0.95, 0.3, 0.7, 0.7, 0.7, 0.7] },
    { weight: 1, scores: [3, 1, 0.2, 5, 0.1, 0.1, 0.1, 0.1] },
  ]);
  assert.deepEqual([...got.advantage.slice(4)], [0, 0, 0, 0]);
  assert.equal(got.equalShare, 0.5);
  const std = Math.sqrt(got.advantage.reduce((sum, a) => sum + a ** 2, 0) / 7);
  near([std], [1], 1e-3);
});

Deno.test("a group that any one reward tells apart is not counted among the equal ones", () => {
  const unlike = { weight: 1, scores: [0, 1, 5, 5] }, equal = { weight: 1, scores: [2, 2, 2, 2] };
  const of = (...rewards: Parameters<typeof ofColumns>[0]) =>
    ofColumns(rewards, { groupSize: 2 }).equalShare;
  assert.deepEqual([of(unlike, equal), of(equal, unlike), of(equal)], [0.5, 0.5, 1]);
});

Deno.test("baseline and scale are those of the settings, the epsilon is also the batch's", () => {
  const rewards = [{ weight: 1, scores: [1, 0, 0, 5] }, { weight: 1, scores: [2, 2, 3, 9] }];
  for (const baseline of ["mean", "leave-one-out"] as const) {
    for (const advantageScale of ["sample", "population", "batch", "none"] as const) {
      const config = { baseline, advantageScale, advantageEpsilon: 0.25 };
      const each = rewards.map(({ scores }) => of(scores, config).advantage);
      const x = [...each[0]].map((a, b) => a + each[1][b]);
      const std = Math.sqrt(x.reduce((sum, of) => sum + of ** 2, 0) / 3);
      near(ofColumns(rewards, config).advantage, x.map((of) => of / (std + 0.25)), 1e-12);
    }
  }
});
