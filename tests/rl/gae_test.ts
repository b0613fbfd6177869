import assert from "node:assert/strict";
import fc from "fast-check";
import { assertClose } from "../_close.ts";
import { keepRows } from "../../rl/batch.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { gae, lengthLambda, tokenRewards } from "../../rl/gae.ts";
import { tokenKl } from "../../rl/kl.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { GRID, gridOf, lay, LOGPROB, REFERENCE, SCORE, VALUE } from "./_golden.ts";

const kl = tokenKl(GRID.mask, {
  logprob: lay(LOGPROB),
  reference: lay(REFERENCE),
  estimator: "k1",
});

Deno.test("rewards, advantages and returns give the golden numbers", () => {
  const { reward, penalty } = tokenRewards(GRID, { kl, score: SCORE, coefficient: 0.2 });
  const wanted = [[-0.04, 0.02, -0.08, 0.02], [-0.04, 0.02]];
  assertClose(penalty, lay(wanted, 0), "penalty", 1e-6);
  assertClose(reward, lay([[-0.04, 0.02, -0.08, 1.02], [-0.04, -0.48]], 0), "reward", 1e-6);
  const inputs = { reward, value: lay(VALUE), gamma: 1, lambda: 0.95 };
  const { advantage, returns } = gae(GRID, inputs);
  assertClose(advantage, lay([[0.70011, 0.6738, 1.004, 0.72], [-0.476, -0.88]], 0), "A", 1e-5);
  assertClose(returns, lay([[0.80011, 0.8738, 0.904, 1.02], [-0.476, -0.48]], 0), "R", 1e-5);
});

Deno.test("the score lands on the last token that counts, not on the last slot", () => {
  const zero = new Float32Array(8);
  const { reward } = tokenRewards(GRID, { kl: zero, score: [3, 5], coefficient: 1 });
  assertClose(reward, [0, 0, 0, 3, 0, 5, 0, 0], "reward", 0);
  const one = keepRows(GRID, [false, true]);
  const left = tokenRewards(one, { kl: zero, score: [NaN, 5], coefficient: 1 }).reward;
  assertClose(left, [0, 0, 0, 0, 0, 5, 0, 0], "one row", 0);
});

Deno.test("the penalty is subtracted: drifting from the reference costs reward", () => {
  const away = new Float32Array(8).fill(1);
  const { penalty } = tokenRewards(GRID, { kl: away, score: [0, 0], coefficient: 0.5 });
  assert.deepEqual([...penalty], [-0.5, -0.5, -0.5, -0.5, -0.5, -0.5, 0, 0]);
});

Deno.test("garbage behind the last token changes nothing", () => {
  const reward = [[1, 2, 3, 4], [5, 6]], at = { gamma: 0.9, lambda: 0.8 };
  const clean = gae(GRID, { reward: lay(reward, 0), value: lay(VALUE, 0), ...at });
  for (const garbage of [NaN, Infinity, 1e30]) {
    const dirty = gae(GRID, { reward: lay(reward, garbage), value: lay(VALUE, garbage), ...at });
    assert.deepEqual(dirty, clean);
  }
});

Deno.test("a row that is left out is 0 throughout", () => {
  const grid = keepRows(GRID, [false, true]);
  const inputs = { reward: lay([[NaN, NaN, NaN, NaN], [1, 1]]), value: lay(VALUE) };
  const { advantage, returns } = gae(grid, { ...inputs, gamma: 1, lambda: 1 });
  assert.deepEqual([...advantage.slice(0, 4), ...returns.slice(0, 4)], [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.ok(advantage.slice(4, 6).every((a) => a !== 0));
});

Deno.test("what follows the last token is worth 0 unless a bootstrap value is given", () => {
  const grid = gridOf([[1, 1]]),
    inputs = { reward: [0, 1], value: [0.5, 0.5], gamma: 1, lambda: 1 };
  assert.deepEqual([...gae(grid, inputs).returns], [1, 1]);
  assert.deepEqual([...gae(grid, { ...inputs, bootstrap: [2] }).returns], [3, 3]);
});

Deno.test("each row may have a lambda of its own", () => {
  const reward = lay([[1, 2, 3, 4], [5, 6]]), value = lay(VALUE), gamma = 0.9;
  const rows = gae(GRID, { reward, value, gamma, lambda: [0.3, 0.8] });
  for (const [b, lambda] of [0.3, 0.8].entries()) {
    const whole = gae(GRID, { reward, value, gamma, lambda });
    const of = (x: Float32Array) => x.slice(b * GRID.T, (b + 1) * GRID.T);
    assert.deepEqual(of(rows.advantage), of(whole.advantage));
    assert.deepEqual(of(rows.returns), of(whole.returns));
  }
});

Deno.test("lambda by length is VAPO's: 0 up to 1 / alpha tokens, then towards 1", () => {
  const length = Int32Array.of(1, 20, 21, 40, 200);
  const want = [0, 0, 1 - 1 / 1.05, 0.5, 0.9];
  assertClose(lengthLambda({ length }, 0.05), want, "alpha 0.05", 1e-12);
  assertClose(lengthLambda({ length }, 1), [0, 19 / 20, 20 / 21, 39 / 40, 199 / 200], "1", 1e-12);
});

Deno.test("PPO's targets and advantages each have their lambda", () => {
  // One response of two tokens: V = 0.5, 0.2, rewards 0 and 1, so that the errors are -0.3 and 0.8.
  const grid = gridOf([[1, 1]]), both = Float32Array.of(0, 0);
  const rollout = {
    rollout: { prompts: [], responses: [], finished: [true], logprobs: [] },
    ...{
      grid,
      score: Float32Array.of(1),
      scored: [true],
      sampled: both,
      reference: both,
      columns: [],
    },
    old: { logprob: both, entropy: both, value: Float32Array.of(0.5, 0.2) },
  };
  const of = (settings: Record<string, unknown>) => {
    const config = trainerOptions(ppo as never)
      .resolve({ whitenAdvantages: "off", lambda: 0.5, ...settings } as never);
    const context = { config: config as never, step: 0, state: { klCoefficient: 0 } };
    const { advantage, returns } = ppo.advantages(rollout, context);
    return [...advantage, ...returns!];
  };
  const near = (got: number[], want: number[]) => assertClose(got, want, "A, R", 1e-6);
  near(of({}), [0.1, 0.8, 0.6, 1]);
  near(of({ lambdaValue: 1 }), [0.1, 0.8, 1, 1]);
  near(of({ lambdaAlpha: 0.05 }), [-0.3, 0.8, 0.6, 1]); // short: one-step errors
  near(of({ lambdaAlpha: 2, lambdaValue: 0 }), [-0.3 + 0.75 * 0.8, 0.8, 0.2, 1]);
});

Deno.test("lambda 1 gives discounted sums of rewards, lambda 0 one-step errors", () => {
  const row = fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(row, fc.double({ min: 0, max: 1, noNaN: true }), (reward, gamma) => {
    const grid = gridOf([reward]), value = reward.map((_, t) => Math.sin(t));
    const long = gae(grid, { reward, value, gamma, lambda: 1 }).returns;
    const short = gae(grid, { reward, value, gamma, lambda: 0 }).advantage;
    for (let t = 0; t < reward.length; t++) {
      const sum = reward.slice(t).reduce((s, r, k) => s + gamma ** k * r, 0);
      assert.ok(Math.abs(long[t] - sum) < 1e-4);
      const next = t + 1 < reward.length ? value[t + 1] : 0;
      assert.ok(Math.abs(short[t] - (reward[t] + gamma * next - value[t])) < 1e-5);
    }
  }));
});
