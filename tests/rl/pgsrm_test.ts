/** PGSRM's algorithm: its formula restated by torch, its value head and its KL rule. */
import assert from "node:assert/strict";
import { pgsrm, type PgsrmConfig } from "../../rl/algorithms/pgsrm.ts";
import type { LossInputs, StepContext } from "../../rl/algorithm.ts";
import { gridOfRows, takeRows } from "../../rl/batch.ts";
import { tokenMean } from "../../rl/loss/normalise.ts";
import { addSums, bothSums, emptySums, meansOf, policySums } from "../../rl/loss/sums.ts";
import type { Evaluation, Rollout, TokenBatch } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { assertClose } from "../_close.ts";
import fixture from "../fixtures/pgsrm.json" with { type: "json" };
import { gridOf, lay } from "./_golden.ts";
import { TablePolicy } from "./_table_policy.ts";

const GRID = gridOf(fixture.logprob);
const f32 = (rows: number[][], fill = NaN) => Float32Array.from(lay(rows, fill));
/** The fixture's values at the last token of each response; what stands elsewhere must not matter. */
const values = fixture.logprob.map((row, b) =>
  row.map((_, t) => t < row.length - 1 ? 99 : fixture.value[b])
);

function contextOf(settings: Record<string, number> = fixture.settings): StepContext<PgsrmConfig> {
  const config = trainerOptions(pgsrm as never).resolve(settings as never) as never;
  return { config, step: 0, state: { klCoefficient: settings.klCoefficient ?? 0 } };
}

function rollout() {
  const { logprob, entropy, reference, score } = fixture, finished = [true, true, true];
  return {
    rollout: { prompts: [], responses: [], finished, logprobs: [] },
    ...{ grid: GRID, score: Float32Array.from(score), scored: finished, columns: [] },
    old: { logprob: f32(logprob), entropy: f32(entropy), value: f32(values) },
    ...{ sampled: f32(logprob), reference: f32(reference) },
  };
}

function inputs(): LossInputs {
  const { old, sampled, reference } = rollout();
  const { advantage, returns } = pgsrm.advantages(rollout(), contextOf());
  return {
    ...{ ...old, grid: GRID, sampled, reference, advantage, returns },
    ...{ oldLogprob: old.logprob, oldValue: old.value },
  };
}

Deno.test("advantages, losses and gradients are those of the formula", () => {
  const context = contextOf(), given = inputs();
  assertClose(given.advantage, f32(fixture.advantage, 0), "A", 1e-6);
  const { sums, gradient } = pgsrm.loss(given, tokenMean(GRID), context);
  const means = meansOf(bothSums(policySums(given), sums));
  for (const part of ["policy", "kl", "value"] as const) {
    assertClose([means[`loss/${part}`]], [fixture.loss[part]], part, 1e-6);
  }
  assertClose([pgsrm.total(means, context)], [fixture.loss.total], "total", 1e-6);
  assertClose(gradient.dlogprob, f32(fixture.dlogprob, 0), "dlogprob", 1e-7);
  assertClose(gradient.dentropy!, f32(fixture.dentropy, 0), "dentropy", 1e-7);
  const last = fixture.logprob.map((row, b) =>
    row.map((_, t) => t < row.length - 1 ? 0 : fixture.dvalue[b])
  );
  assertClose(gradient.dvalue!, f32(last, 0), "dvalue", 1e-7);
});

Deno.test("pieces of one row add up to the batch: the value loss divides by all its rows", () => {
  const context = contextOf(), given = inputs(), weight = tokenMean(GRID);
  const whole = pgsrm.loss(given, weight, context);
  let sums = emptySums();
  for (const b of [0, 1, 2]) {
    const take = (x: unknown) => takeRows(x as Float32Array, GRID, [b]);
    const { grid: _, ...arrays } = given;
    const piece = Object.fromEntries(Object.entries(arrays).map(([name, x]) => [name, take(x)]));
    const part = { ...piece, grid: gridOfRows(GRID, [b]), rows: 3 } as unknown as LossInputs;
    const of = pgsrm.loss(part, takeRows(weight, GRID, [b]), context);
    assert.deepEqual(of.gradient.dvalue, take(whole.gradient.dvalue));
    sums = addSums(sums, of.sums);
  }
  assertClose([sums.weighted["loss/value"]], [whole.sums.weighted["loss/value"]], "value", 1e-12);
});

const prompts = Array.from({ length: 12 }, (_, i) => Int32Array.of(1 + i % 5));
const lengths = ({ responses }: Rollout) => Promise.resolve(responses.map((r) => r.length));

Deno.test("a step asks for the values of the tokens themselves, once, and moves each by its own rate", async () => {
  class Watched extends TablePolicy {
    asked: TokenBatch[] = [];
    override evaluate(batch: TokenBatch): Promise<Evaluation> {
      this.asked.push(batch);
      return super.evaluate(batch);
    }
  }
  const policy = new Watched(6, (i) => Math.sin(3 * i));
  const trainer = new Trainer(policy, { maxNewTokens: 3 }, "pgsrm");
  const { experience: { advantage, grid, score, rollout }, metrics } = await trainer.step(
    prompts,
    lengths,
  );
  assert.deepEqual(policy.asked.map(({ valueAt }) => valueAt), ["own"]);
  assert.deepEqual(policy.rates, [{ policy: 1e-5, value: 1e-4 }]);
  assert.deepEqual(Object.keys(metrics), pgsrm.metrics.map(({ name }) => name));
  for (const [name, value] of Object.entries(metrics)) assert.ok(Number.isFinite(value), name);
  // The table's values are 0 at first, so that A is the score on every token.
  for (let i = 0; i < advantage.length; i++) {
    assert.equal(advantage[i], grid.mask[i] ? score[Math.floor(i / grid.T)] : 0);
  }
  const moved = [...policy.values].map((v) => v !== 0);
  const ends = new Set(rollout.responses.map((response) => response.at(-1)));
  assert.deepEqual(moved, Array.from({ length: 6 }, (_, token) => ends.has(token)));
});

Deno.test("KL below its target divides the coefficient by 1.5, above it multiplies; head and clip are apart", async () => {
  const next = async (settings: Record<string, unknown>, init: (i: number) => number) => {
    const policy = new TablePolicy(6, init);
    policy.frozen = policy.frozen.map((_, i) => Math.sin(3 * i));
    const trainer = new Trainer(policy, { maxNewTokens: 3, ...settings }, "pgsrm");
    const { metrics } = await trainer.step(prompts, lengths);
    return { kl: metrics["kl/reference"], after: trainer.state().algorithm.klCoefficient, trainer };
  };
  const near = await next({}, (i) => Math.sin(3 * i));
  assert.equal(near.kl, 0);
  assert.equal(near.after, 5e-5 / 1.5);
  const far = await next({ klTarget: 0.2 }, (i) => 6 * Math.sin(5 * i));
  assert.ok(far.kl > 0.2 * 1.5 * 3, `${far.kl}`); // of at most 3 tokens
  assert.equal(far.after, 5e-5 * 1.5);
  assert.equal((await next({ klControl: "fixed" }, (i) => 6 * Math.sin(5 * i))).after, 5e-5);
  assert.equal((await next({ klFloor: 4e-5 }, (i) => Math.sin(3 * i))).after, 4e-5);
  assert.deepEqual(near.trainer.needs, {
    ...{ value: true, reference: true, groupSize: 1 },
    head: { detached: true, init: "zero", clipApart: true, at: "own" },
  });
});
