import assert from "node:assert/strict";
import fc from "fast-check";
import { combine } from "../../rewards/combine.ts";
import type { Reward } from "../../rewards/reward.ts";
import { batch } from "./_words.ts";

type Column = (number | null)[];

function fixed(name: string, column: Column, counts?: Record<string, number>): Reward {
  const takeCounts = counts && (() => counts);
  return { name, score: () => Promise.resolve(column), takeCounts };
}
const of = (n: number) => batch(new Array(n).fill(""));

Deno.test("combine() sums by weight, skips null, and keeps every reward's own values", async () => {
  const both = combine([
    { reward: fixed("exact", [1, 0, null, null]), weight: 2 },
    { reward: fixed("semantic", [0.5, null, 0.25, null]), weight: -0.5 },
  ]);
  assert.deepEqual(await both.breakdown(of(4)), {
    total: [1.75, 0, -0.125, null],
    scores: { exact: [1, 0, null, null], semantic: [0.5, null, 0.25, null] },
  });
  assert.deepEqual(await both.score(of(4)), [1.75, 0, -0.125, null]);
  assert.deepEqual(both.weights, { exact: 2, semantic: -0.5 });
});

Deno.test("combine() measures a reward of weight 0 without training on it", async () => {
  const both = combine([
    { reward: fixed("exact", [1, 1]), weight: 0 },
    { reward: fixed("semantic", [0.5, null]), weight: 1 },
  ]);
  const { total, scores } = await both.breakdown(of(2));
  assert.deepEqual(total, [0.5, null], "a row that only weight 0 can judge stays null");
  assert.deepEqual(scores.exact, [1, 1]);
});

Deno.test("combine() gives each column to its own reward, whatever finishes first", async () => {
  const slow: Reward = {
    name: "slow",
    score: () => new Promise((done) => setTimeout(() => done([1]), 5)),
  };
  const { scores } = await combine([
    { reward: slow, weight: 1 },
    { reward: fixed("fast", [2]), weight: 1 },
  ]).breakdown(of(1));
  assert.deepEqual(scores, { slow: [1], fast: [2] });
});

Deno.test("combine().takeCounts() puts the reward's name before its counts", () => {
  const both = combine([
    { reward: fixed("a", [], { oov: 3, failed: 0 }), weight: 1 },
    { reward: fixed("b", [], { oov: 1 }), weight: 1 },
    { reward: fixed("c", []), weight: 1 },
  ]);
  assert.deepEqual(both.takeCounts(), { "a/oov": 3, "a/failed": 0, "b/oov": 1 });
});

Deno.test("combine() is linear in the weights", async () => {
  const value = fc.option(fc.double({ min: -5, max: 5, noNaN: true }));
  const pair = fc.tuple(value, value);
  const weight = fc.integer({ min: 1, max: 8 }).map((n) => n / 4); // exact in binary
  await fc.assert(fc.asyncProperty(fc.array(pair), weight, weight, async (rows, v, w) => {
    const a = fixed("a", rows.map(([x]) => x)), b = fixed("b", rows.map(([, y]) => y));
    const { total } = await combine([{ reward: a, weight: v }, { reward: b, weight: w }])
      .breakdown(of(rows.length));
    rows.forEach(([x, y], i) => {
      if (x === null && y === null) assert.equal(total[i], null);
      else assert.ok(Math.abs(total[i]! - (v * (x ?? 0) + w * (y ?? 0))) < 1e-12);
    });
  }));
});

Deno.test("combine() refuses no rewards, bad names, repeated names and weights", () => {
  const one = (name: string, weight = 1) => ({ reward: fixed(name, []), weight });
  assert.throws(() => combine([]), TypeError);
  for (const name of ["", "Exact", "a b", "__proto__", "a/b", "a,b"]) {
    assert.throws(() => combine([one(name)]), TypeError, name);
  }
  assert.throws(
    () => combine([one("a"), one("a")]),
    new TypeError('Cannot combine rewards as names must differ: "a" comes twice'),
  );
  for (const weight of [NaN, Infinity]) {
    assert.throws(() => combine([one("a", weight)]), RangeError);
  }
  assert.deepEqual(combine([one("constructor")]).weights, { constructor: 1 });
});

Deno.test("combine() refuses values that are not finite, and columns of another length", async () => {
  const breakdownOf = (column: Column) =>
    combine([{ reward: fixed("a", column), weight: 1 }]).breakdown(of(2));
  await assert.rejects(
    breakdownOf([1, NaN]),
    new RangeError("Cannot use the reward a as values are finite or null: row 1 has NaN"),
  );
  await assert.rejects(breakdownOf([Infinity, 1]), RangeError);
  await assert.rejects(
    breakdownOf([1]),
    new RangeError("Cannot use the reward a as it must give 2 values: it gave 1"),
  );
  await assert.rejects(breakdownOf([1, 2, 3]), RangeError);
});
