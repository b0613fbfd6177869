/** Paired tests, quantiles and intervals beside scipy's, of `tests/fixtures/scipy_statistics.py`. @module */
import assert from "node:assert/strict";
import {
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from "../../../base/statistics/distributions.ts";
import { meanInterval, seedInterval } from "../../../base/statistics/intervals.ts";
import { differences, standardError } from "../../../base/statistics/moments.ts";
import { pairedT, signedRanks } from "../../../base/statistics/paired.ts";
import fixture from "../../fixtures/scipy_statistics.json" with { type: "json" };

const near = (got: number, want: number, name: string, atol = 1e-7) =>
  assert.ok(Math.abs(got - want) <= atol, `${name}: got ${got}, scipy says ${want}`);

Deno.test("paired t and signed ranks are scipy's, exact and normal, with and without ties", () => {
  const methods: Record<string, string> = {};
  for (const [name, { a, b, t, wilcoxon }] of Object.entries(fixture.pairs)) {
    const difference = differences(a, b),
      got = pairedT(difference),
      ranks = signedRanks(difference);
    near(got.t, t.t, `t of ${name}`);
    near(got.p, t.p, `p of t of ${name}`);
    assert.equal(got.df, t.df, name);
    near(ranks.statistic, wilcoxon.statistic, `ranks of ${name}`, 0);
    near(ranks.p, wilcoxon.p, `p of ranks of ${name}`);
    methods[name] = ranks.method;
    const turned = signedRanks(differences(b, a));
    near(turned.p, wilcoxon.p, `p of ranks of ${name}, turned`);
  }
  const normal = Object.keys(methods).filter((name) => methods[name] === "normal");
  assert.deepEqual(normal, ["plain of 51", "ties of 14", "shares of 60"]);
});

Deno.test("quantiles are scipy's, and tails are their inverse", () => {
  for (const [p, z] of fixture.normal) {
    near(normalQuantile(p), z, `normal at ${p}`);
    near(normalCdf(z), p, `below ${z}`);
  }
  for (const [p, df, t] of fixture.student) {
    near(studentQuantile(p, df), t, `t of ${df} at ${p}`, 1e-7 * Math.max(1, Math.abs(t)));
    near(studentCdf(t, df), p, `t of ${df} below ${t}`);
  }
});

Deno.test("intervals of a share and over seeds are scipy's", () => {
  for (const { count, n, low, high } of fixture.wilson) {
    const got = meanInterval(Array.from({ length: n }, (_, i) => i < count ? 1 : 0));
    assert.equal(got.method, "wilson");
    near(got.mean, count / n, `share of ${count} in ${n}`);
    near(got.low, low, `${count} of ${n}, low`);
    near(got.high, high, `${count} of ${n}, high`);
  }
  for (const { values, error, low, high } of fixture.seeds) {
    const got = seedInterval(values);
    near(standardError(values), error, "standard error");
    near(got.low, low, `low of ${values}`);
    near(got.high, high, `high of ${values}`);
  }
});
