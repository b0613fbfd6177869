/**
 * Each policy loss against values worked out apart from it (in double precision, from the formulas of the
 * papers, two responses of four and two tokens with advantages 1 and -1), and its gradient against central
 * differences of its own value.
 */
import assert from "node:assert/strict";
import { findAlgorithm, listAlgorithms } from "../../rl/algorithms/registry.ts";
import { normaliserWeights } from "../../rl/loss/normalise.ts";
import { CLIP_ROWS, clippedLoss } from "../../rl/loss/clipped_ratio.ts";
import { clippedWeightLoss } from "../../rl/loss/clipped_weight.ts";
import { geometricMeanLoss } from "../../rl/loss/geometric_mean.ts";
import { type KlGradient, klTerms } from "../../rl/loss/kl_term.ts";
import { offPolicyWeights } from "../../rl/loss/off_policy.ts";
import { policyGradientLoss } from "../../rl/loss/policy_gradient.ts";
import { probabilityStepLoss } from "../../rl/loss/probability_step.ts";
import { perToken, type PolicyLoss, type ResponseLoss } from "../../rl/loss/response.ts";
import { meanRatioLoss, productRatioLoss } from "../../rl/loss/sequence_ratio.ts";
import { sequenceWeightLoss } from "../../rl/loss/sequence_weight.ts";
import { softGateLoss } from "../../rl/loss/soft_gate.ts";
import { assertClose } from "../_close.ts";
import { GRID, gridOf, LOGPROB, REFERENCE } from "./_golden.ts";

const near = (got: ArrayLike<number>, want: ArrayLike<number>, atol: number) =>
  assertClose(got, want, "numbers", atol);

const MOVED = [[0.3, -0.3, 0.1, 0], [-0.25, 0.05]];
const NOW = LOGPROB.map((row, b) => row.map((l, t) => l + MOVED[b][t]));
const ADVANTAGE = [1, -1];
const CLIP = { clipLow: 0.2, clipHigh: 0.2, ratioCap: 0 };
type Normaliser = "tokens" | "sequences" | "sequence-sums" | "constant";

/** Weights of the two rows by a normaliser, without the slots that do not exist. */
function weightsOf(lossNormaliser: Normaliser): Float64Array[] {
  const weights = normaliserWeights(GRID, { lossNormaliser, countMasked: false }, {
    rows: [0, 1],
    longest: 4,
  });
  return LOGPROB.map((row, b) => weights.slice(b * GRID.T, b * GRID.T + row.length));
}

/** Loss of the whole batch, and its gradient on the six tokens. */
function lossOf<C>(
  loss: PolicyLoss<C>,
  config: C,
  { now = NOW, by }: { now?: number[][]; by: Normaliser },
): ResponseLoss {
  const weights = weightsOf(by);
  const all = now.map((row, b) =>
    loss({
      logprob: Float64Array.from(row),
      oldLogprob: Float64Array.from(LOGPROB[b]),
      advantage: new Float64Array(row.length).fill(ADVANTAGE[b]),
      weight: weights[b],
    }, config)
  );
  return {
    loss: all.reduce((sum, of) => sum + of.loss, 0),
    gradient: Float64Array.from(all.flatMap((of) => [...of.gradient])),
    clipped: all.reduce((sum, of) => sum + of.clipped, 0),
  };
}

interface Golden<C> {
  name: string;
  loss: PolicyLoss<C>;
  config: C;
  by: Normaliser;
  value: number;
  gradient: number[];
  /** True where the loss is itself what the gradient is of; else a constant weight stands in it. */
  whole: boolean;
}

const WEIGHT = { weightClip: "absolute", weightCap: 5, clipLow: 0.2, clipHigh: 0.2 } as const;
/** With its settings bound. */
const golden = <C>({ loss, config, ...rest }: Golden<C>) => ({
  ...rest,
  of: (now?: number[][]) => lossOf(loss, config, { now, by: rest.by }),
});

const GOLDEN = [
  golden({
    name: "GRPO",
    loss: perToken(clippedLoss),
    config: CLIP,
    by: "sequences",
    value: -0.0429308683,
    gradient: [0, -0.0926022776, -0.1381463648, -0.125, 0, 0.2628177741],
    whole: true,
  }),
  golden({
    name: "clipped ratio, mean over tokens",
    loss: perToken(clippedLoss),
    config: CLIP,
    by: "tokens",
    value: -0.3657863404,
    gradient: [0, -0.1234697034, -0.184195153, -1 / 6, 0, 0.1752118494],
    whole: true,
  }),
  golden({
    name: "clip-higher 0.28, mean over tokens",
    loss: perToken(clippedLoss),
    config: { ...CLIP, clipHigh: 0.28 },
    by: "tokens",
    value: -0.3791196737,
    gradient: [0, -0.1234697034, -0.184195153, -1 / 6, 0, 0.1752118494],
    whole: true,
  }),
  golden({
    name: "Dr. GRPO, length 4",
    loss: perToken(clippedLoss),
    config: CLIP,
    by: "constant",
    value: -0.2743397553,
    gradient: [0, -0.0926022776, -0.1381463648, -0.125, 0, 0.1314088871],
    whole: true,
  }),
  golden({
    name: "sums of responses",
    loss: perToken(clippedLoss),
    config: CLIP,
    by: "sequence-sums",
    value: -1.0973590212,
    gradient: [0, -0.3704091103, -0.552585459, -0.5, 0, 0.5256355482],
    whole: true,
  }),
  golden({
    name: "SAPO",
    loss: perToken(softGateLoss),
    config: { gatePositive: 1, gateNegative: 1.05 },
    by: "sequences",
    value: -0.1140652719,
    gradient: [-0.16367262, -0.09106438, -0.13776506, -0.125, 0.19209788, 0.26262744],
    whole: true,
  }),
  golden({
    name: "CISPO, absolute cap 5",
    loss: perToken(clippedWeightLoss),
    config: WEIGHT,
    by: "tokens",
    value: 0.4578593408,
    gradient: [-0.22497647, -0.1234697, -0.18419515, -0.16666667, 0.12980013, 0.17521185],
    whole: false,
  }),
  golden({
    name: "CISPO, absolute cap 1.2",
    loss: perToken(clippedWeightLoss),
    config: { ...WEIGHT, weightCap: 1.2 },
    by: "tokens",
    value: 0.4403758133,
    gradient: [-0.2, -0.1234697, -0.18419515, -0.16666667, 0.12980013, 0.17521185],
    whole: false,
  }),
  golden({
    name: "CISPO, two-sided 0.2",
    loss: perToken(clippedWeightLoss),
    config: { ...WEIGHT, weightClip: "two-sided" },
    by: "tokens",
    value: 0.4597056193,
    gradient: [-0.2, -0.13333333, -0.18419515, -0.16666667, 0.13333333, 0.17521185],
    whole: false,
  }),
  golden({
    name: "GSPO 0.2",
    loss: meanRatioLoss,
    config: CLIP,
    by: "sequences",
    value: -0.0602388512,
    gradient: [...Array(4).fill(-0.12816439), ...Array(2).fill(0.22620935)],
    whole: true,
  }),
  golden({
    name: "LUSPO 0.2",
    loss: meanRatioLoss,
    config: CLIP,
    by: "sequence-sums",
    value: -1.145792823,
    gradient: [...Array(4).fill(-0.51265756), ...Array(2).fill(0.45241871)],
    whole: true,
  }),
  golden({
    name: "GMPO 0.4",
    loss: geometricMeanLoss,
    config: { logClip: 0.4 },
    by: "sequences",
    value: -0.0602388512,
    gradient: [...Array(4).fill(-0.12816439), ...Array(2).fill(0.22620935)],
    whole: true,
  }),
  golden({
    name: "GMPO 0.2",
    loss: geometricMeanLoss,
    config: { logClip: 0.2 },
    by: "sequences",
    value: -0.0361282568,
    gradient: [0, -0.125, -0.125, -0.125, 0, 0.23193587],
    whole: true,
  }),
  golden({
    name: "VESPO",
    loss: sequenceWeightLoss,
    config: { risePositive: 2, fallPositive: 3, riseNegative: 3, fallNegative: 2 },
    by: "tokens",
    value: 0.464700105,
    gradient: [...Array(4).fill(-0.14848487), ...Array(2).fill(0.13143787)],
    whole: false,
  }),
  golden({
    name: "DPPO-TV 0.1",
    loss: perToken(probabilityStepLoss),
    config: { stepDown: 0.1, stepUp: 0.1 },
    by: "tokens",
    value: 0.4236859373,
    gradient: [0, -0.1234697, -0.18419515, -0.16666667, 0, 0.17521185],
    whole: false,
  }),
  golden({
    name: "DPPO-TV 0.2 (nothing stops: CISPO with cap 5)",
    loss: perToken(probabilityStepLoss),
    config: { stepDown: 0.2, stepUp: 0.2 },
    by: "tokens",
    value: 0.4578593408,
    gradient: [-0.22497647, -0.1234697, -0.18419515, -0.16666667, 0.12980013, 0.17521185],
    whole: false,
  }),
];

for (const { name, of, value, gradient, whole } of GOLDEN) {
  Deno.test(`${name}: loss and gradient`, () => {
    const got = of();
    near([got.loss], [value], 2e-10);
    near(got.gradient, gradient, 6e-9);
    const h = 1e-6;
    const at = (t: number, by: number) => {
      const now = NOW.map((row) => [...row]);
      if (t < 4) now[0][t] += by;
      else now[1][t - 4] += by;
      return of(now);
    };
    if (whole) {
      const slopes = gradient.map((_, t) => (at(t, h).loss - at(t, -h).loss) / (2 * h));
      near(got.gradient, slopes, 1e-9);
    } else { // a constant times -A l: the value is the gradient times the log-probability
      const flat = NOW.flat();
      near([got.loss], [got.gradient.reduce((sum, g, t) => sum + g * flat[t], 0)], 1e-12);
    }
  });
}

Deno.test("RLOO's ratio is the product: exp of the sum of log-ratios, clipped", () => {
  const wide = { ...CLIP, clipLow: 0.9, clipHigh: 9 };
  const got = lossOf(productRatioLoss, wide, { by: "sequences" });
  const [s0, s1] = MOVED.map((row) => Math.exp(row.reduce((sum, d) => sum + d)));
  near([got.loss], [(-s0 + s1) / 2], 1e-12);
  near(got.gradient, [...Array(4).fill(-s0 / 2), ...Array(2).fill(s1 / 2)], 1e-12);
});

Deno.test("the policy gradient's loss is -A l, its gradient -A", () => {
  const got = lossOf(perToken(policyGradientLoss), {}, { by: "tokens" });
  const sums = NOW.map((row) => row.reduce((sum, l) => sum + l));
  near([got.loss], [(-sums[0] + sums[1]) / 6], 1e-12);
  near(got.gradient, [...Array(4).fill(-1 / 6), 1 / 6, 1 / 6], 1e-12);
});

Deno.test("a capped ratio is the dual clip: it is felt where the advantage is negative alone", () => {
  const cap = { ...CLIP, ratioCap: 3 };
  const at = (ratio: number, advantage: number, range = cap) =>
    clippedLoss({ logRatio: Math.log(ratio), advantage }, range);
  near([at(4, -2).loss], [6], 1e-12); // -A c
  assert.deepEqual([at(4, -2).gradient, at(4, -2).clipped], [0, true]);
  near([at(2.5, -2).loss, at(2.5, -2).gradient], [5, 5], 1e-12);
  assert.deepEqual(at(4, 2), at(4, 2, CLIP));
  near([at(4, -2, CLIP).loss], [8], 1e-12); // without a cap it is not bounded
  // A cap inside the clip range is no second clip range.
  const low = { ...CLIP, clipHigh: 0.3, ratioCap: 1.1 };
  for (const advantage of [2, -2]) {
    assert.deepEqual(at(1.2, advantage, low), at(1.2, advantage, { ...CLIP, clipHigh: 0.3 }));
  }
  assert.match(String(CLIP_ROWS.ratioCap.check(0.5)), /^0, or above 1$/);
  assert.equal(CLIP_ROWS.ratioCap.check(0), undefined);
});

/** Terms of one response. */
const termsOf = (
  [logprob, oldLogprob, reference]: number[][],
  klGradient: KlGradient,
  klEstimator: "k1" | "k2" | "k3" = "k3",
) =>
  klTerms({
    logprob: Float64Array.from(logprob),
    oldLogprob: Float64Array.from(oldLogprob),
    reference: Float64Array.from(reference),
  }, { klEstimator, klGradient });

/** Value and gradient of the KL term over the six tokens, a mean over tokens. */
function klOf(klGradient: KlGradient, old = LOGPROB) {
  const terms = NOW.map((row, b) => termsOf([row, old[b], REFERENCE[b]], klGradient));
  return {
    value: terms.flatMap(({ value }) => [...value]).reduce((sum, of) => sum + of, 0) / 6,
    gradient: terms.flatMap(({ gradient }) => [...gradient]).map((of) => of / 6),
  };
}

Deno.test("KL in the loss: k3's own gradient, and the unbiased one", () => {
  const own = klOf("k3"), unbiased = klOf("unbiased"), onPolicy = klOf("unbiased", NOW);
  for (const { value } of [own, unbiased]) near([value], [0.0520998546], 1e-10);
  near(
    own.gradient,
    [0.06557822, -0.08197078, 0.06557822, -0.01752849, -0.00854518, -0.00854518],
    6e-9,
  );
  near(
    unbiased.gradient,
    [0.11248823, -0.04938788, 0.09209758, -0.01666667, -0.00649001, -0.00876059],
    6e-9,
  );
  near(
    onPolicy.gradient,
    NOW.flatMap((row, b) => row.map((l, t) => (l - REFERENCE[b][t]) / 6)),
    1e-12,
  );
  near(klOf("k2").gradient, onPolicy.gradient, 1e-12);
  // The unbiased gradient is that of rho k3, whose value is another.
  const rhoK3 = (l: number, old: number, q: number) =>
    Math.exp(l - old) * (Math.expm1(q - l) - (q - l));
  const slopes = NOW.flatMap((row, b) =>
    row.map((l, t) => {
      const [old, q, h] = [LOGPROB[b][t], REFERENCE[b][t], 1e-6];
      return (rhoK3(l + h, old, q) - rhoK3(l - h, old, q)) / (2 * h) / 6;
    })
  );
  near(unbiased.gradient, slopes, 1e-9);
});

Deno.test("KL times the ratio of the whole response: the golden values, and the gradient of just that", () => {
  // A mean over responses of their means over tokens.
  const of = (now: number[][], estimator: "k1" | "k2" | "k3" = "k3") =>
    now.map((row, b) => termsOf([row, LOGPROB[b], REFERENCE[b]], "sequence-ratio", estimator));
  const loss = (now: number[][]) =>
    of(now).reduce(
      (sum, { value }) => sum + value.reduce((s, x) => s + x, 0) / value.length / 2,
      0,
    );
  const gradient = of(NOW).flatMap(({ gradient: g }) => [...g].map((x) => x / g.length / 2));
  near([loss(NOW)], [0.0403133258], 1e-10);
  near(
    gradient,
    [0.06036332, -0.05309985, 0.06036332, -0.0035446, -0.01131047, -0.01131047],
    6e-9,
  );
  const moved = (b: number, t: number, h: number) =>
    NOW.map((row, i) => row.map((l, j) => i === b && j === t ? l + h : l));
  near(
    gradient,
    NOW.flatMap((row, b) =>
      row.map((_, t) => (loss(moved(b, t, 1e-6)) - loss(moved(b, t, -1e-6))) / 2e-6)
    ),
    1e-9,
  );
  // It is not the unbiased one, also on-policy, and its value is s times any estimate.
  const far = termsOf([NOW[0], NOW[0], REFERENCE[0]], "sequence-ratio").gradient
    .map((x, t) => Math.abs(x - (NOW[0][t] - REFERENCE[0][t])));
  assert.ok(Math.max(...far) > 0.05);
  const s = Math.exp(NOW[0].reduce((sum, l, t) => sum + l - LOGPROB[0][t], 0) / 4);
  near([...of(NOW, "k1")[0].value], NOW[0].map((l, t) => s * (l - REFERENCE[0][t])), 1e-12);
});

Deno.test("a response's ratio times KL is refused where the algorithm has no such ratio", () => {
  const resolve = (name: string, klGradient: KlGradient) =>
    findAlgorithm(name).options.resolve({ klGradient } as never);
  for (const { name } of listAlgorithms().filter(({ options }) => "klGradient" in options.rows)) {
    for (const klGradient of ["k3", "k2", "unbiased", "k1"] as const) resolve(name, klGradient);
    if (["gspo", "luspo"].includes(name)) {
      resolve(name, "sequence-ratio");
      continue;
    }
    assert.throws(() => resolve(name, "sequence-ratio"), {
      name: "RangeError",
      message:
        `Cannot configure ${name} as klGradient must be another, such as unbiased, as this ` +
        'algorithm has no mean ratio of a response to multiply KL by: it is "sequence-ratio"',
    });
  }
});

Deno.test("in expectation over the policy's draws, k2 descends KL(policy || reference), k3 its reverse", () => {
  // A softmax over five tokens: d KL / d logits, exactly, against the expected score-weighted gradient.
  const softmax = (z: number[]) => {
    const sum = z.reduce((s, x) => s + Math.exp(x), 0);
    return z.map((x) => Math.exp(x) / sum);
  };
  const z = [0.3, -0.5, 1.1, 0, -1.2], q = softmax([-0.2, 0.4, 0.5, -0.9, 0.1]);
  const forward = (z: number[]) =>
    softmax(z).reduce((sum, p, i) => sum + p * Math.log(p / q[i]), 0);
  const reverse = (z: number[]) =>
    softmax(z).reduce((sum, p, i) => sum + q[i] * Math.log(q[i] / p), 0);
  const slopes = (f: (z: number[]) => number) =>
    z.map((_, i) => {
      const up = [...z], down = [...z];
      up[i] += 1e-6;
      down[i] -= 1e-6;
      return (f(up) - f(down)) / 2e-6;
    });
  const p = softmax(z);
  const expected = (klGradient: KlGradient, old = p) =>
    z.map((_, i) =>
      old.reduce((sum, drawn, a) => {
        const one = [p, old, q].map((of) => [Math.log(of[a])]);
        const { gradient: [gradient] } = termsOf(one, klGradient);
        return sum + drawn * gradient * ((a === i ? 1 : 0) - p[i]);
      }, 0)
    );
  near(expected("k2"), slopes(forward), 1e-9);
  near(expected("k3"), slopes(reverse), 1e-9);
  near(expected("k1"), [0, 0, 0, 0, 0], 1e-12); // whatever the policy: it holds nothing back
  // Off-policy only the unbiased one still does.
  const old = softmax([1, 0, -0.4, 0.2, 0.1]);
  near(expected("unbiased", old), slopes(forward), 1e-9);
  const far = expected("k2", old).map((x, i) => Math.abs(x - slopes(forward)[i]));
  assert.ok(Math.max(...far) > 0.05);
});

Deno.test("off-policy weights: truncated or masked, of tokens or of responses, and whole responses left out", () => {
  const sampled = [[0.02, -0.01, 0.05, 0], [-0.6, -0.7]]
    .map((row, b) => row.map((noise, t) => LOGPROB[b][t] - noise));
  const of = (
    b: number,
    config: Partial<Parameters<typeof offPolicyWeights>[1]>,
    advantage = ADVANTAGE[b],
  ) =>
    offPolicyWeights({
      logprob: Float64Array.from(NOW[b]),
      oldLogprob: Float64Array.from(LOGPROB[b]),
      sampled: Float64Array.from(sampled[b]),
      advantage,
    }, { samplerWeights: "off", samplerCap: 3, offPolicyLimit: 0, ...config });
  assert.deepEqual([...of(0, {}), ...of(1, {})], Array(6).fill(1));
  const tokens = [0.02, -0.01, 0.05, 0].map(Math.exp);
  near(of(0, { samplerWeights: "token-truncate" }), tokens, 1e-12);
  near(of(0, { samplerWeights: "token-truncate", samplerCap: 1.03 }), [
    tokens[0],
    tokens[1],
    1.03,
    1,
  ], 1e-12);
  near(of(0, { samplerWeights: "token-mask", samplerCap: 1.03 }), [
    tokens[0],
    tokens[1],
    0,
    1,
  ], 1e-12);
  near(of(0, { samplerWeights: "sequence-truncate" }), Array(4).fill(Math.exp(0.06)), 1e-12);
  assert.deepEqual([...of(0, { samplerWeights: "sequence-mask", samplerCap: 1.05 })], [0, 0, 0, 0]);
  // mean_t (sampled - now) of row 1 is 0.75: beyond 0.5, and its advantage is negative.
  assert.deepEqual([...of(1, { offPolicyLimit: 0.5 })], [0, 0]);
  assert.deepEqual([...of(1, { offPolicyLimit: 0.76 })], [1, 1]);
  assert.deepEqual([...of(1, { offPolicyLimit: 0.5 }, 1)], [1, 1]); // a good answer is never left out
});

Deno.test("normalisers: what each token counts, with and without rows that are left out", () => {
  const grid = gridOf([[0, 0, 0, 0], [0, 0], [0, 0, 0]]);
  for (let i = 8; i < 12; i++) grid.mask[i] = 0; // row 2 has no score
  const of = (lossNormaliser: Normaliser, countMasked: boolean, rows = [0, 1, 2]) => [
    ...normaliserWeights(grid, { lossNormaliser, countMasked }, { rows, longest: 8 }),
  ];
  const lay = (a: number, b: number) => [a, a, a, a, b, b, 0, 0, 0, 0, 0, 0];
  assert.deepEqual(of("tokens", false), lay(1 / 6, 1 / 6));
  assert.deepEqual(of("tokens", true), lay(1 / 6, 1 / 6));
  assert.deepEqual(of("sequences", false), lay(1 / 8, 1 / 4));
  assert.deepEqual(of("sequences", true), lay(1 / 12, 1 / 6));
  assert.deepEqual(of("sequence-sums", false), lay(1 / 2, 1 / 2));
  assert.deepEqual(of("constant", false), lay(1 / 16, 1 / 16));
  assert.deepEqual(of("constant", true), lay(1 / 24, 1 / 24));
  assert.deepEqual(of("sequences", true, [0]), lay(1 / 4, 0)); // rows of other batches count nothing
});

Deno.test("VESPO's weight is bounded below, DPPO's above, and its region has two ends", () => {
  const response = (moves: number[], A: number) => ({
    logprob: Float64Array.from(moves, (d) => d - 1),
    oldLogprob: new Float64Array(moves.length).fill(-1),
    advantage: new Float64Array(moves.length).fill(A),
    weight: new Float64Array(moves.length).fill(1),
  });
  const falloff = { risePositive: 0.1, fallPositive: 3, riseNegative: 3, fallNegative: 2 };
  const { gradient } = sequenceWeightLoss(response([-15, -15], 1), falloff);
  const phi = Math.exp(3 + 0.1 * Math.log(1e-8) - 3 * 1e-8);
  near(gradient, [-phi, -phi], 1e-12);
  const step = (from: number, to: number, advantage: number) =>
    probabilityStepLoss({
      logprob: Math.log(to),
      oldLogprob: Math.log(from),
      logRatio: Math.log(to / from),
      advantage,
    }, { stepDown: 0.1, stepUp: 0.2 }).gradient;
  near([step(0.001, 0.1, 1)], [-20], 1e-12); // not 100
  near([step(0.5, 0.65, 1), step(0.5, 0.75, 1)], [-1.3, 0], 1e-12);
  near([step(0.5, 0.45, -1), step(0.5, 0.35, -1)], [0.9, 0], 1e-12);
});
