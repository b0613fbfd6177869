import assert from "node:assert/strict";
import { percentileInterval, quantile, resampled } from "../../../base/statistics/bootstrap.ts";
import {
  differenceInterval,
  jackknifeInterval,
  meanInterval,
  seedInterval,
  statisticInterval,
} from "../../../base/statistics/intervals.ts";
import {
  clusterMeans,
  differences,
  mean,
  standardError,
  variance,
} from "../../../base/statistics/moments.ts";
import { pairedT, signedRanks } from "../../../base/statistics/paired.ts";
import { winsOf } from "../../../base/statistics/wins.ts";

const places = (value: number, n = 4) => Number(value.toFixed(n));

Deno.test("mean, variance and standard error, by hand", () => {
  // 2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, variance 13, error sqrt(13 / 3) = 2.0817
  assert.deepEqual([mean([2, 4, 9]), variance([2, 4, 9])], [5, 13]);
  assert.equal(places(standardError([2, 4, 9])), 2.0817);
  assert.deepEqual([mean([]), variance([3]), standardError([3])], [NaN, NaN, NaN]);
  assert.deepEqual(clusterMeans([[1, 0], [1], [0, 0, 1, 1]]), [0.5, 1, 0.5]);
  assert.throws(() => clusterMeans([[1], []]), /Cannot take the mean of a cluster .* one is empty/);
  assert.deepEqual(differences([3, 1], [1, 2]), [2, -1]);
  assert.throws(() => differences([1], [1, 2]), /Cannot pair values .* there are 1 and 2/);
});

Deno.test("a quantile lies between the two values around p (n + 1)", () => {
  const sorted = [10, 20, 30, 40]; // at 0.5: 2.5, between the second and the third
  assert.deepEqual([0.5, 0.2, 0.3, 0.01, 0.99].map((p) => places(quantile(sorted, p))), [
    ...[25, 10, 15, 10, 40],
  ]);
});

Deno.test("the expanded tail is that of t, times sqrt(n / (n - 1))", () => {
  // n = 5: t = 2.7764, times sqrt(5 / 4) = 3.1042, whose normal tail is 0.000954
  const sorted = Float64Array.from({ length: 99_999 }, (_, i) => (i + 1) / 100_000);
  const { low, high } = percentileInterval(sorted, 5);
  assert.deepEqual([places(low, 6), places(high, 6)], [0.000954, 1 - 0.000954]);
});

Deno.test("resamples draw every row as often, a seed its own, and none from outside", () => {
  const seen = new Float64Array(7), options = { resamples: 1000, seed: 4 };
  const draw = (seed: number) =>
    resampled(7, (rows) => {
      for (const row of rows) seen[row]++;
      return rows[0] * 7 + rows[6];
    }, { ...options, seed });
  assert.deepEqual(draw(4), draw(4));
  assert.notDeepEqual(draw(4), draw(5));
  assert.equal(seen.reduce((sum, n) => sum + n), 4 * 7000);
  for (const n of seen) assert.ok(Math.abs(n - 4000) < 5 * Math.sqrt(4000), `drawn ${n} times`);
  const known = resampled(3, ([row]) => row === 0 ? NaN : row, { resamples: 200 });
  assert.ok(known.length > 100 && known.length < 200 && known.every((x) => x === 1 || x === 2));
});

Deno.test("an interval lies around its mean, narrower with more values and at a lower level", () => {
  const values = Array.from({ length: 40 }, (_, i) => (i * 17 % 40) / 40);
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  const few = meanInterval(values.slice(0, 10)), all = meanInterval(values);
  assert.deepEqual([all.method, all.n, all.mean], ["bootstrap", 40, mean(values)]);
  assert.ok(all.low < all.mean && all.mean < all.high);
  assert.ok(width(all) < width(few) && width(meanInterval(values, { level: 0.5 })) < width(all));
  // Student's t is the same to a tenth where nothing is skewed.
  const half = 2.0227 * standardError(values);
  assert.ok(Math.abs(width(all) / (2 * half) - 1) < 0.1, `${width(all)} beside ${2 * half}`);
});

Deno.test("what has no spread has no interval, but shares do", () => {
  for (const values of [[], [0.3], [0.3, 0.3, 0.3]]) {
    const { low, high, method } = meanInterval(values);
    assert.deepEqual([low, high, method], [NaN, NaN, "none"]);
  }
  // none of 18: 3.8415 / (18 + 3.8415) = 0.1759
  const none = meanInterval(Array(18).fill(0));
  assert.deepEqual([none.mean, none.low, places(none.high), none.method], [0, 0, 0.1759, "wilson"]);
  // A reward of 1 that rounding made 0.9999999 is 1: an interval of no width would promise much.
  const rounded = meanInterval([...Array(17).fill(1), 0.9999999]);
  assert.deepEqual([places(rounded.low), rounded.method], [0.8241, "wilson"]);
  assert.equal(meanInterval([0.5, 0.5 + 1e-9, 0.5]).method, "none");
  assert.equal(meanInterval([0.5, 0.501, 0.5]).method, "bootstrap");
  assert.deepEqual(seedInterval([0.7]), { mean: 0.7, low: NaN, high: NaN, n: 1, method: "none" });
  const same = differenceInterval([0.5, 0.7], [0.25, 0.45]); // 0.25 but for rounding
  assert.deepEqual([places(same.mean), same.method], [0.25, "none"]);
});

Deno.test("a difference of paired shares, by hand", () => {
  // 20 pairs, 6 up and 1 down: 7 / 22 and 2 / 22; 0.2273 +- 1.96 sqrt((9 / 22 - (5 / 22)^2) / 22)
  const a = Array.from({ length: 20 }, (_, i) => i < 6 || i > 15 ? 1 : 0);
  const b = Array.from({ length: 20 }, (_, i) => i === 6 || i > 15 ? 1 : 0);
  const got = differenceInterval(a, b);
  assert.deepEqual([got.mean, got.method], [0.25, "bonett-price"]);
  assert.deepEqual([places(got.low), places(got.high)], [-0.0226, 0.4771]);
  const turned = differenceInterval(b, a);
  assert.deepEqual([places(turned.low), places(turned.high)], [-0.4771, 0.0226]);
});

Deno.test("pairs make the interval of a difference narrower where they go together", () => {
  const b = Array.from({ length: 30 }, (_, i) => i / 10), a = b.map((x, i) => x + (i % 3) / 10);
  const paired = differenceInterval(a, b);
  assert.equal(places(paired.mean), 0.1);
  assert.ok(paired.high - paired.low < 0.1, `${paired.low} to ${paired.high}`);
  assert.ok(meanInterval(a).high - meanInterval(a).low > 0.5);
});

Deno.test("a figure of the whole sample, by the bootstrap or by leaving one out", () => {
  const nats = [1, 2, 3, 4, 5, 6], tokens = [1, 1, 1, 2, 2, 2];
  const sum = (of: readonly number[], rows: ArrayLike<number>) =>
    Array.from(rows, (row) => of[row]).reduce((x, y) => x + y, 0);
  const ratio = (rows: ArrayLike<number>) => sum(nats, rows) / sum(tokens, rows);
  const got = statisticInterval(6, ratio);
  assert.equal(got.mean, 21 / 9);
  assert.ok(got.low < got.mean && got.mean < got.high && got.low >= 1 && got.high <= 3);
  // The jackknife of a mean is Student's t of it.
  const left = nats.map((nat) => (21 - nat) / 5), jack = jackknifeInterval(3.5, left);
  const { low, high } = seedInterval(nats);
  assert.deepEqual([places(jack.low, 9), places(jack.high, 9)], [places(low, 9), places(high, 9)]);
  assert.equal(jack.method, "jackknife");
  assert.equal(statisticInterval(3, () => NaN).method, "none");
  assert.equal(statisticInterval(3, () => 2).method, "none");
  assert.equal(jackknifeInterval(2, [2, 2, 2]).method, "none");
});

Deno.test("a tie is half a win", () => {
  assert.deepEqual(winsOf([1, 0, 0, -2, 3]), { wins: 2, ties: 2, losses: 1, rate: 0.6 });
  assert.equal(winsOf([]).rate, NaN);
});

Deno.test("tests without any difference say nothing", () => {
  assert.deepEqual(pairedT([0, 0, 0]).p, NaN);
  assert.deepEqual(pairedT([1]).p, NaN);
  assert.deepEqual(pairedT([0.5, 0.5]).p, 0);
  assert.deepEqual(signedRanks([0, 0]), { statistic: 0, p: NaN, method: "exact" });
  assert.deepEqual(signedRanks([]), { statistic: 0, p: NaN, method: "exact" });
  // 1, 2, 3 up: of 8 choices of signs one has no rank down and one none up
  assert.deepEqual(signedRanks([1, 2, 3]), { statistic: 0, p: 0.25, method: "exact" });
});
