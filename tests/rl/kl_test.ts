import assert from "node:assert/strict";
import fc from "fast-check";
import { assertClose } from "../_close.ts";
import { adaptKlCoefficient, klEstimate, tokenKl } from "../../rl/kl.ts";
import { GRID, lay, LOGPROB, REFERENCE } from "./_golden.ts";

Deno.test("the three estimators give the golden numbers", () => {
  const arrays = { logprob: lay(LOGPROB), reference: lay(REFERENCE) };
  const of = (estimator: "k1" | "k2" | "k3") => tokenKl(GRID.mask, { ...arrays, estimator });
  assertClose(of("k1"), lay([[0.2, -0.1, 0.4, -0.1], [0.2, -0.1]], 0), "k1", 1e-7);
  assertClose(of("k2"), lay([[0.02, 0.005, 0.08, 0.005], [0.02, 0.005]], 0), "k2", 1e-7);
  const k3 = [0.0187308, 0.0051709, 0.07032, 0.0051709];
  assertClose(of("k3").slice(0, 4), k3, "k3", 1e-7);
});

Deno.test("log-ratios are clamped to 20 nats of 0, and NaN is not hidden", () => {
  assert.equal(klEstimate(1000, "k1"), 20);
  assert.equal(klEstimate(-1000, "k2"), 200);
  assert.ok(Number.isFinite(Math.fround(klEstimate(-1e6, "k3"))));
  for (const estimator of ["k1", "k2", "k3"] as const) {
    assert.equal(klEstimate(NaN, estimator), NaN);
  }
});

Deno.test("k2 and k3 are never negative and agree with k1 * k1 / 2 for small steps", () => {
  fc.assert(fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (d) => {
    assert.ok(klEstimate(d, "k2") >= 0);
    assert.ok(klEstimate(d, "k3") >= -1e-15);
  }));
  assert.ok(Math.abs(klEstimate(1e-3, "k3") / klEstimate(1e-3, "k2") - 1) < 1e-3);
});

Deno.test("expected k1 and k3 under the policy are the KL divergence", () => {
  const p = [0.5, 0.2, 0.3], q = [0.1, 0.6, 0.3];
  const KL = p.reduce((sum, x, i) => sum + x * Math.log(x / q[i]), 0);
  for (const estimator of ["k1", "k3"] as const) {
    const mean = p.reduce((sum, x, i) => sum + x * klEstimate(Math.log(x / q[i]), estimator), 0);
    assert.ok(Math.abs(mean - KL) < 1e-12);
  }
});

Deno.test("the adaptive coefficient gives the golden sequence", () => {
  let coefficient = 0.2;
  const want = [0.200512, 0.20064032768, 0.200126688441];
  [9, 6.3, -1].forEach((kl, i) => {
    const options = { kl, target: 6, horizon: 10000, episodes: 128 };
    coefficient = adaptKlCoefficient(coefficient, options);
    assert.ok(Math.abs(coefficient - want[i]) < 1e-12);
  });
});

Deno.test("the adaptive coefficient keeps its sign, and 0 stays 0", () => {
  const kl = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(fc.property(kl, fc.integer({ min: 1, max: 512 }), (kl, episodes) => {
    const options = { kl, target: 6, horizon: 10000, episodes };
    assert.equal(adaptKlCoefficient(0, options), 0);
    const after = adaptKlCoefficient(0.2, options);
    assert.ok(after > 0 && Math.abs(after / 0.2 - 1) <= 0.2 * episodes / 10000 + 1e-12);
    assert.ok(kl > 6 ? after > 0.2 : after <= 0.2);
  }));
});
