import assert from "node:assert/strict";
import fc from "fast-check";
import { combine } from "../../rewards/combine.ts";
import { exact } from "../../rewards/exact.ts";
import type { Reward } from "../../rewards/reward.ts";
import { batch } from "./_words.ts";

type Column = (number | null)[];

function fixed(name: string, column: Column, counts?: Record<string, number>): Reward {
  const told = counts && { takeCounts: () => counts, counts: Object.keys(counts) };
  return { name, score: () => Promise.resolve(column), ...told };
}
const of = (n: number) => batch(new Array(n).fill(""));

Deno.test("combine() sums by weight, skips null, and keeps every reward's own values", async () => {
  const both = combine([
    { reward: fixed("first", [1, 0, null, null]), weight: 2 },
    { reward: fixed("semantic", [0.5, null, 0.25, null]), weight: -0.5 },
  ]);
  assert.deepEqual(await both.breakdown(of(4)), {
    total: [1.75, 0, -0.125, null],
    scores: { first: [1, 0, null, null], semantic: [0.5, null, 0.25, null] },
    weights: { first: 2, semantic: -0.5 },
  });
  assert.deepEqual(await both.score(of(4)), [1.75, 0, -0.125, null]);
  assert.deepEqual(both.weights, { first: 2, semantic: -0.5 });
});

Deno.test("combine() measures a reward of weight 0 without training on it", async () => {
  const both = combine([
    { reward: fixed("first", [1, 1]), weight: 0 },
    { reward: fixed("semantic", [0.5, null]), weight: 1 },
  ]);
  const { total, scores } = await both.breakdown(of(2));
  assert.deepEqual(total, [0.5, null], "a row that only weight 0 can judge stays null");
  assert.deepEqual(scores.first, [1, 1]);
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

Deno.test("combine().takeCounts() has every declared name from the first call on, and no other", () => {
  const taken: Record<string, number>[] = [{}, { late: 2 }, { first: 1 }];
  const counts = ["first", "late"];
  const reward: Reward = { ...fixed("a", []), counts, takeCounts: () => taken.shift()! };
  const sum = combine([{ reward, weight: 1 }]);
  assert.deepEqual(Object.entries(sum.takeCounts()), [["a/first", 0], ["a/late", 0]]);
  assert.deepEqual(Object.entries(sum.takeCounts()), [["a/first", 0], ["a/late", 2]]);
  assert.deepEqual(Object.entries(sum.takeCounts()), [["a/first", 1], ["a/late", 0]]);
  const { counts: _own, ...silent } = reward; // a definition's names stand beside it
  taken.push({ late: 3 });
  const told = combine([{ reward: silent, weight: 1, counts: ["late"] }]);
  assert.deepEqual(told.takeCounts(), { "a/late": 3 });
  for (
    const [given, rule] of [
      [
        { more: 1 },
        'its `counts` must list every name beforehand: "more" is not among first, late',
      ],
      [{ late: NaN }, "late must be a finite number: it is NaN"],
    ] as const
  ) {
    taken.push(given as Record<string, number>);
    const message = `Cannot report what the reward a counts as ${rule}`;
    assert.throws(() => sum.takeCounts(), { name: "TypeError", message });
  }
});

Deno.test("combine() refuses what is no reward, and counts whose names are not known beforehand", () => {
  const cannot = "Cannot combine rewards as ";
  const refused = (reward: unknown, rule: string) =>
    assert.throws(() => combine([{ reward: reward as Reward, weight: 1 }]), {
      name: "TypeError",
      message: cannot + rule,
    });
  refused(null, "each has a name and score(): one is null");
  refused({ name: "a" }, "each has a name and score(): one is an object with name");
  const { score } = fixed("a", []);
  refused({ score }, "names are a-z, 0-9 and _: one is undefined");
  const takeCounts = () => ({});
  refused(
    { name: "a", score, takeCounts },
    "a has takeCounts(), whose names its `counts` must list: it has none",
  );
  for (const name of ["mean", "std", "A", "a/b"]) { // rewards/a/mean is the mean score
    const rule = `counts are named by a-z, 0-9 and _, and not "mean" or "std": a has "${name}"`;
    refused({ name: "a", score, takeCounts, counts: [name] }, rule);
  }
});

Deno.test("combine() lets no other reward have the name of exact, which every run measures", () => {
  const own = { reward: fixed("exact", [0]), weight: 1 };
  const message =
    'Cannot combine rewards as "exact" is measured beside every sum: a reward of your ' +
    "own needs another name";
  assert.throws(() => combine([own]), { name: "TypeError", message });
  assert.deepEqual(combine([{ reward: exact(), weight: 2 }]).weights, { exact: 2 });
});

Deno.test("combine() names the reward that fails, or gives what is no column", async () => {
  const run = (score: () => unknown) =>
    combine([
      { reward: { name: "judge", score: score as Reward["score"] }, weight: 1 },
      { reward: fixed("other", [1, 1]), weight: 1 },
    ]).breakdown(of(2));
  const away = new TypeError("the judge is away");
  const fails = "Cannot score by the reward judge: ";
  await assert.rejects(run(() => Promise.reject(away)), {
    message: `${fails}the judge is away`,
    cause: away,
  });
  await assert.rejects(
    run(() => {
      throw "a text";
    }),
    { name: "ScoreError", message: `${fails}a text` },
  );
  const cannot = "Cannot use the reward judge as ",
    array = "score() must give an array of 2 values: ";
  const refused: [unknown, string, string][] = [
    [undefined, "TypeError", `${array}it gave undefined`],
    [{ 0: 1, 1: 2, length: 2 }, "TypeError", `${array}it gave an object with 0, 1, length`],
    [["1", 2], "TypeError", 'values are finite or null: row 0 has "1"'],
    [[1, undefined], "TypeError", "values are finite or null: row 1 has undefined"],
    [Array(2), "TypeError", "values are finite or null: row 0 has undefined"],
    [[1, -Infinity], "RangeError", "values are finite or null: row 1 has -Infinity"],
    [[1], "RangeError", "it must give 2 values: it gave 1"],
  ];
  for (const [column, name, rule] of refused) {
    await assert.rejects(run(() => Promise.resolve(column)), { name, message: cannot + rule });
  }
  const { total } = await run(() => [0.5, null]); // an array need not be promised
  assert.deepEqual(total, [1.5, 1]);
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
