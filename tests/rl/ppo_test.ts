import assert from "node:assert/strict";
import fc from "fast-check";
import { assertClose } from "../_close.ts";
import { countTokens, gridOfRows, keepRows, type ResponseGrid, takeRows } from "../../rl/batch.ts";
import { gae, tokenRewards } from "../../rl/gae.ts";
import { tokenKl } from "../../rl/kl.ts";
import { addSums, emptySums, sumsAreFinite } from "../../rl/loss/sums.ts";
import { whiten } from "../../rl/stats.ts";
import { lossOf, meansOfLoss, type PpoInputs, type PpoLossOptions } from "./_ppo.ts";
import { GRID, gridOf, lay, LOGPROB, REFERENCE, SCORE, slope, VALUE } from "./_golden.ts";

const OPTIONS: PpoLossOptions = {
  clipLow: 0.2,
  clipHigh: 0.2,
  valueClip: 0.2,
  valueCoefficient: 0.1,
  entropyCoefficient: 0,
  tokens: 6,
};

/** The worked example: advantages and returns of the fixture, and a policy that has moved. */
function golden(): PpoInputs {
  const oldLogprob = lay(LOGPROB), oldValue = lay(VALUE);
  const kl = tokenKl(GRID.mask, {
    logprob: oldLogprob,
    reference: lay(REFERENCE),
    estimator: "k1",
  });
  const { reward } = tokenRewards(GRID, { kl, score: SCORE, coefficient: 0.2 });
  const raw = gae(GRID, { reward, value: oldValue, gamma: 1, lambda: 0.95 });
  const moved = lay([[0.3, -0.3, 0.1, 0], [-0.25, 0.05]]);
  const valueMoved = lay([[0.5, -0.1, 0.3, -0.4], [0.05, -0.3]]);
  return {
    oldLogprob,
    oldValue,
    logprob: oldLogprob.map((l, i) => l + moved[i]),
    value: oldValue.map((v, i) => v + valueMoved[i]),
    entropy: lay([[1, 2, 3, 4], [5, 6]]),
    advantage: whiten(raw.advantage, GRID.mask, { variance: "sample", shiftMean: true }),
    returns: raw.returns,
  };
}

function means(mask: Uint8Array, inputs: PpoInputs, options: PpoLossOptions) {
  return meansOfLoss(lossOf(mask, inputs, options).sums, options);
}

Deno.test("loss, clip fraction and divergences give the golden numbers", () => {
  const got = means(GRID.mask, golden(), OPTIONS);
  const want = {
    "loss/policy": -0.0326518176,
    "loss/value": 0.2907307043,
    "loss/total": -0.0035787472,
    "policy/clipfrac": 1 / 3,
    "policy/approxkl": 0.02125,
    "policy/policykl": 0.0166667,
  };
  for (const [name, value] of Object.entries(want)) {
    assertClose([got[name]], [value], name, 1e-7);
  }
});

Deno.test("token-mean and clip-higher give the golden numbers", () => {
  const inputs = { ...golden(), advantage: lay([[1, 1, 1, 1], [-1, -1]]) };
  assert.ok(Math.abs(means(GRID.mask, inputs, OPTIONS)["loss/policy"] + 0.3657863404) < 1e-9);
  const higher = { ...OPTIONS, clipHigh: 0.28 };
  assert.ok(Math.abs(means(GRID.mask, inputs, higher)["loss/policy"] + 0.3791196737) < 1e-9);
});

/** Random inputs well away from the corners, where a central difference means something. */
const between = (low: number, high: number) =>
  fc.integer({ min: 0, max: 1e6 }).map((n) => low + (high - low) * n / 1e6);
const token = fc.record({
  l: between(-3, -0.1),
  move: between(-0.9, 0.9),
  v: between(-1, 1),
  valueMove: between(-0.6, 0.6),
  advantage: between(-2, 2),
  returns: between(-2, 2),
}).filter(({ move, v, valueMove, advantage, returns }) => {
  const off = (a: number, b: number) => Math.abs(a - b) > 1e-3;
  const ratio = Math.exp(move), clipped = v + Math.max(-0.2, Math.min(0.2, valueMove));
  return off(ratio, 0.8) && off(ratio, 1.3) && off(Math.abs(valueMove), 0.2) && off(advantage, 0) &&
    (Math.abs(valueMove) < 0.2 || off((v + valueMove - returns) ** 2, (clipped - returns) ** 2));
});

Deno.test("all three gradients agree with central differences of the total loss", () => {
  fc.assert(fc.property(fc.array(token, { minLength: 1, maxLength: 5 }), (row) => {
    const mask = new Uint8Array(row.length).fill(1);
    const inputs: PpoInputs = {
      oldLogprob: row.map((x) => x.l),
      oldValue: row.map((x) => x.v),
      logprob: row.map((x) => x.l + x.move),
      value: row.map((x) => x.v + x.valueMove),
      entropy: row.map((x) => x.l * x.l),
      advantage: row.map((x) => x.advantage),
      returns: row.map((x) => x.returns),
    };
    const options = { ...OPTIONS, clipHigh: 0.3, valueCoefficient: 0.7, entropyCoefficient: 0.05 };
    options.tokens = row.length;
    const { gradient } = lossOf(mask, inputs, options);
    const pairs = [
      ["logprob", gradient.dlogprob],
      ["entropy", gradient.dentropy],
      ["value", gradient.dvalue],
    ] as const;
    for (const [name, got] of pairs) {
      const total = (x: number[]) => means(mask, { ...inputs, [name]: x }, options)["loss/total"];
      const want = row.map((_, i) => slope(total, inputs[name], i));
      assertClose(got!, want, `d${name}`, 1e-6);
    }
  }));
});

Deno.test("at a ratio of exactly 1 the whole gradient -A / N passes, and nothing counts as clipped", () => {
  const { oldLogprob, oldValue, ...rest } = golden();
  const inputs = { ...rest, oldLogprob, oldValue, logprob: oldLogprob, value: oldValue };
  const { sums, gradient } = lossOf(GRID.mask, inputs, OPTIONS);
  const want = Array.from(inputs.advantage, (A, i) => GRID.mask[i] ? -A / 6 : 0);
  assertClose(gradient.dlogprob, want, "dlogprob", 1e-8);
  assert.deepEqual([
    sums.min["policy/ratio_min"],
    sums.max["policy/ratio_max"],
    sums.sum["policy/clipfrac"],
  ], [1, 1, 0]);
});

Deno.test("only a push further out of the clip range is cut, and only that counts as clipped", () => {
  const at = (ratio: number, advantage: number) => {
    const inputs = {
      oldLogprob: [-2],
      logprob: [-2 + Math.log(ratio)],
      advantage: [advantage],
      oldValue: [0],
      value: [0],
      returns: [0],
      entropy: [0],
    };
    const { sums, gradient } = lossOf(Uint8Array.of(1), inputs, { ...OPTIONS, tokens: 1 });
    return [gradient.dlogprob[0] !== 0, sums.sum["policy/clipfrac"]];
  };
  assert.deepEqual(at(1.5, 1), [false, 1]); // already pushed up enough
  assert.deepEqual(at(1.5, -1), [true, 0]); // may come back down
  assert.deepEqual(at(0.5, -1), [false, 1]); // already pushed down enough
  assert.deepEqual(at(0.5, 1), [true, 0]); // may come back up
  assert.deepEqual(at(1.1, 1), [true, 0]);
  assert.deepEqual(at(0.9, -1), [true, 0]);
});

Deno.test("the value is clipped around its old estimate, not around the return", () => {
  const at = (value: number, oldValue: number, returns: number) => {
    const inputs = {
      oldLogprob: [0],
      logprob: [0],
      advantage: [0],
      oldValue: [oldValue],
      value: [value],
      returns: [returns],
      entropy: [0],
    };
    const { sums, gradient } = lossOf(Uint8Array.of(1), inputs, { ...OPTIONS, tokens: 1 });
    return [sums.sum["loss/value"], gradient.dvalue![0], sums.sum["value/clipfrac"]];
  };
  // Left its old estimate by 0.5 towards the return: clamped at 0.2 away, no gradient.
  const [loss, gradient, clipped] = at(0.5, 0, 1);
  assert.ok(Math.abs(loss - 0.32) < 1e-12);
  assert.deepEqual([gradient, clipped], [0, 1]);
  // Left it away from the return: the larger, unclipped error counts and pulls back.
  const [far, pull, none] = at(-0.5, 0, 1);
  assert.ok(Math.abs(far - 1.125) < 1e-12 && Math.abs(pull + 0.15) < 1e-7);
  assert.equal(none, 0);
});

Deno.test("a log-ratio past 20 nats is clamped: finite loss, no gradient", () => {
  const inputs = {
    oldLogprob: [-100, -1],
    logprob: [-1, -100],
    advantage: [-1, 1],
    oldValue: [0, 0],
    value: [0, 0],
    returns: [0, 0],
    entropy: [0, 0],
  };
  const { sums, gradient } = lossOf(Uint8Array.of(1, 1), inputs, { ...OPTIONS, tokens: 2 });
  assert.ok(Math.abs(sums.max["policy/ratio_max"] / Math.exp(20) - 1) < 1e-12);
  assert.deepEqual([...gradient.dlogprob], [0, 0]);
  assert.ok(sumsAreFinite(sums));
  // The divergences show how far it went.
  assert.deepEqual([sums.sum["policy/approxkl"], sums.sum["policy/policykl"]], [99 ** 2, 0]);
});

Deno.test("a fault in any input makes the sums not finite", () => {
  const clean = golden(), at = { ...OPTIONS };
  assert.ok(sumsAreFinite(lossOf(GRID.mask, clean, at).sums));
  for (const name of Object.keys(clean) as (keyof PpoInputs)[]) {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const broken = Array.from(clean[name]);
      broken[5] = bad;
      const { sums } = lossOf(GRID.mask, { ...clean, [name]: broken }, at);
      assert.ok(!sumsAreFinite(sums), `${name} ${bad}`);
    }
  }
});

Deno.test("garbage in masked slots changes neither the sums nor the gradients", () => {
  const clean = golden(), want = lossOf(GRID.mask, clean, OPTIONS);
  for (const garbage of [NaN, Infinity, -1e30]) {
    const dirty = Object.fromEntries(
      Object.entries(clean).map(([name, x]) => [
        name,
        Array.from(x as ArrayLike<number>, (v, i) => GRID.mask[i] ? v : garbage),
      ]),
    ) as unknown as PpoInputs;
    assert.deepEqual(lossOf(GRID.mask, dirty, OPTIONS), want);
  }
});

Deno.test("a row that is left out changes nothing but its own place", () => {
  const inputs = take(golden(), GRID, [0, 1]), grid = keepRows(GRID, [true, false]);
  const options = { ...OPTIONS, tokens: 4 };
  const { sums, gradient } = lossOf(grid.mask, inputs, options);
  const alone = gridOfRows(GRID, [0]);
  const want = lossOf(alone.mask, take(inputs, GRID, [0]), options);
  assert.deepEqual(gradient.dlogprob.slice(0, 4), want.gradient.dlogprob);
  assert.deepEqual([...gradient.dlogprob.slice(4)], [0, 0, 0, 0]);
  assert.equal(sums.sum["loss/policy"], want.sums.sum["loss/policy"]);
  assert.ok(sumsAreFinite(sums));
  const none = lossOf(keepRows(GRID, [false, false]).mask, inputs, { ...OPTIONS, tokens: 0 });
  assert.equal(none.sums.tokens, 0);
  assert.ok(Object.values(none.sums.sum).every((x) => x === 0));
  assert.ok(none.gradient.dlogprob.every((g) => g === 0));
});

function take(inputs: PpoInputs, grid: ResponseGrid, rows: number[]): PpoInputs {
  // Rounded to f32 by takeRows, so tests on it compare with equally rounded inputs.
  return Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [name, takeRows(Float32Array.from(x), grid, rows)]),
  ) as unknown as PpoInputs;
}

Deno.test("pieces of any size add up to the same loss and the same gradient", () => {
  const shape = fc.array(fc.array(token, { minLength: 1, maxLength: 5 }), {
    minLength: 2,
    maxLength: 6,
  });
  fc.assert(fc.property(shape, fc.integer({ min: 1, max: 3 }), (rows, size) => {
    const grid = gridOf(rows), order = rows.map((_, b) => b);
    const of = (f: (x: typeof rows[0][0]) => number) => lay(rows.map((row) => row.map(f)));
    const raw: PpoInputs = {
      oldLogprob: of((x) => x.l),
      oldValue: of((x) => x.v),
      logprob: of((x) => x.l + x.move),
      value: of((x) => x.v + x.valueMove),
      entropy: of((x) => x.l * x.l),
      advantage: of((x) => x.advantage),
      returns: of((x) => x.returns),
    };
    const inputs = take(raw, grid, order);
    const options = { ...OPTIONS, entropyCoefficient: 0.01, tokens: countTokens(grid.mask) };
    const whole = lossOf(grid.mask, inputs, options);
    let sums = emptySums();
    for (let at = 0; at < rows.length; at += size) {
      const piece = order.slice(at, at + size), part = gridOfRows(grid, piece);
      const got = lossOf(part.mask, take(inputs, grid, piece), options);
      sums = addSums(sums, got.sums);
      for (const name of ["dlogprob", "dentropy", "dvalue"] as const) {
        assert.deepEqual(got.gradient[name], takeRows(whole.gradient[name]!, grid, piece));
      }
    }
    for (const [name, x] of Object.entries(sums.sum)) {
      assert.ok(Math.abs(x - whole.sums.sum[name]) < 1e-9 * (1 + Math.abs(x)), name);
    }
    assert.deepEqual([sums.tokens, sums.min, sums.max], [
      whole.sums.tokens,
      whole.sums.min,
      whole.sums.max,
    ]);
  }));
});
