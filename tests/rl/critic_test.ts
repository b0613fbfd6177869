/** The plan of a value head: when it learns, from which loss, how fast, and what the policy does then. */
import assert from "node:assert/strict";
import { ppo } from "../../rl/algorithms/ppo.ts";
import type { EvaluationGradient, Rollout, StepRates } from "../../rl/policy.ts";
import { Trainer, type TrainerSettings } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { TablePolicy } from "./_table_policy.ts";

const V = 6;
const FAST = { learningRate: 0.05, maxNewTokens: 3, epochs: 2, minibatches: 2 };
const PROMPTS = Array.from({ length: 12 }, (_, i) => Int32Array.of(1 + i % 5));
const wave = (i: number) => Math.sin(3 * i);
const lengths = ({ responses }: Rollout) => Promise.resolve(responses.map((r) => r.length));

async function run(settings: TrainerSettings, steps = 1, policy = new TablePolicy(V, wave)) {
  const trainer = new Trainer(policy, { ...FAST, ...settings });
  const metrics: Record<string, number>[] = [];
  for (let i = 0; i < steps; i++) metrics.push((await trainer.step(PROMPTS, lengths)).metrics);
  return { policy, trainer, metrics };
}
const learns = ({ dlogprob, dentropy, dvalue }: EvaluationGradient) =>
  [dlogprob, dentropy, dvalue].map((x) => x?.some((g) => g !== 0) ?? false);

Deno.test("in the warm-up the value head alone learns, then both as without it", async () => {
  const settings = { criticWarmup: 2, entropyCoefficient: 0.1, klCoefficient: 0 };
  const start = new TablePolicy(V, wave);
  const warm = await run(settings, 2);
  assert.deepEqual(warm.policy.logits, start.logits);
  assert.ok(warm.policy.values.some((v) => v !== 0));
  assert.deepEqual(warm.policy.taken, { policy: 0, value: 2 * 4 });
  for (const gradient of warm.policy.gradients) {
    assert.deepEqual(learns(gradient), [false, false, true]);
  }
  for (const metrics of warm.metrics) {
    assert.equal(metrics["optimizer/learning_rate"], 0);
    assert.equal(metrics["value/learning_rate"], 0.05);
    assert.equal(metrics["policy/approxkl"], 0);
    assert.equal(metrics["optimizer/epochs"], 2);
    assert.ok(metrics["loss/value"] > 0);
  }
  assert.ok(warm.metrics[1]["loss/value"] < warm.metrics[0]["loss/value"], "it learns");
  const { metrics } = await warm.trainer.step(PROMPTS, lengths);
  assert.equal(metrics["optimizer/learning_rate"], 0.05);
  assert.deepEqual(warm.policy.taken, { policy: 4, value: 12 });
  assert.notDeepEqual(warm.policy.logits, start.logits);
  assert.deepEqual(learns(warm.policy.gradients.at(-1)!), [true, true, true]);
});

Deno.test("a run resumed in the warm-up ends as one that was not stopped", async () => {
  const more: TrainerSettings = {
    ...{ criticWarmup: 2, scheduleUnit: "optimizer-steps", learningRateSchedule: "linear" },
    ...{ totalSteps: 4, warmupSteps: 3, valueLearningRate: 0.1 },
  };
  const whole = await run(more, 4);
  const first = await run(more, 1), again = new TablePolicy(V, wave);
  again.load(first.policy.save());
  const second = new Trainer(again, { ...FAST, ...more });
  second.restore(first.trainer.state());
  for (let i = 1; i < 4; i++) {
    assert.deepEqual((await second.step(PROMPTS, lengths)).metrics, whole.metrics[i]);
  }
  assert.deepEqual(again.save(), whole.policy.save());
  assert.deepEqual([...first.policy.rates, ...again.rates], whole.policy.rates);
});

Deno.test("critic first: epochs of the value loss, then epochs of the policy loss alone", async () => {
  const turns = async (settings: TrainerSettings) => {
    const all = {
      minibatches: 1,
      entropyCoefficient: 0.1,
      valueLearningRate: 0.2,
      valueClip: 9,
      ...settings,
    };
    const { policy, metrics } = await run(all);
    assert.equal(policy.gradients.length, policy.rates.length);
    return {
      turns: policy.gradients.map((g, i) => [...learns(g), policy.rates[i]]),
      policy,
      metrics: metrics[0],
    };
  };
  const critic = (rates: StepRates) => [false, false, true, rates];
  const actor = [true, true, false, { policy: 0.05, value: 0 }];
  const head = await turns({ criticFirst: "head" });
  const ofHead = critic({ policy: 0, value: 0.2 });
  assert.deepEqual(head.turns, [ofHead, ofHead, actor, actor]);
  const three = await turns({ criticFirst: "head", criticEpochs: 3, epochs: 1 });
  assert.deepEqual(three.turns, [ofHead, ofHead, ofHead, actor]);
  const trunk = await turns({ criticFirst: "trunk", criticEpochs: 1 });
  assert.deepEqual(trunk.turns, [critic({ policy: 0.05, value: 0.2 }), actor, actor]);
  // What is told of the policy is of its own epochs, of the value head of the epochs before.
  const alone = await turns({ valueLearningRate: 0, valueCoefficient: 0 });
  for (const name of ["policy/approxkl", "policy/ratio_max", "loss/policy", "optimizer/epochs"]) {
    assert.equal(head.metrics[name], alone.metrics[name], name);
  }
  assert.deepEqual(head.policy.logits, alone.policy.logits);
  const { metrics: [early] } = await run({
    minibatches: 1,
    criticWarmup: 1,
    valueLearningRate: 0.2,
  });
  for (const name of ["loss/value", "value/pred", "value/error", "value/clipfrac"]) {
    assert.equal(head.metrics[name], early[name], name);
  }
});

Deno.test("every pass of a rollout has an order of its own, also those of a later phase", async () => {
  const seen: string[] = [];
  const watched = new TablePolicy(V, wave);
  const evaluate = watched.evaluate.bind(watched);
  watched.evaluate = (batch, asked) => {
    seen.push(batch.responses.map((r, b) => `${batch.prompts[b]}:${r}`).join(" "));
    return evaluate(batch, asked);
  };
  await run({ criticFirst: "head", criticEpochs: 2 }, 1, watched);
  const minibatches = seen.slice(1); // the first is the whole rollout
  assert.deepEqual([minibatches.length, new Set(minibatches).size], [8, 8]);
});

Deno.test("a detached head never moves the trunk, and is asked for only of a policy that has one", async () => {
  class Attached extends TablePolicy {
    override readonly valueDetached = false;
  }
  const { policy } = await run(
    { criticFirst: "trunk", detachValue: true, minibatches: 1 },
    1,
    new TablePolicy(V, wave),
  );
  assert.deepEqual(policy.rates.map((of) => of.policy), [0, 0, 0.05, 0.05]);
  await assert.rejects(
    run({ detachValue: true }, 1, new Attached(V, wave)),
    /^TypeError: Cannot train with ppo as its value loss must not reach the trunk .* detachValue=false$/,
  );
  const needs = (settings: TrainerSettings) => new Trainer(new TablePolicy(V), settings).needs.head;
  assert.deepEqual(needs({}), { detached: false, init: "zero", clipApart: false });
  assert.deepEqual(needs({ detachValue: true, valueInit: "normal", clipApart: true }), {
    ...{ detached: true, init: "normal", clipApart: true },
  });
});

Deno.test("the value head has a learning rate of its own, on the same schedule", async () => {
  const schedule = {
    learningRateSchedule: "linear",
    learningRateFinal: 0.01,
    totalSteps: 4,
  } as const;
  const { policy, metrics } = await run({ ...schedule, valueLearningRate: 0.5, epochs: 1 }, 4);
  const each = policy.rates.filter((_, i) => i % 2 === 0);
  assertClose(each.map((of) => of.policy), [0.05, 0.04, 0.03, 0.02], "policy", 1e-12);
  assertClose(each.map((of) => of.value), [0.5, 0.4, 0.3, 0.2], "value", 1e-12);
  assert.deepEqual(metrics.map((of) => of["value/learning_rate"]), each.map((of) => of.value));
  const { policy: same } = await run({ ...schedule, epochs: 1 }, 2);
  for (const { policy, value } of same.rates) assert.equal(value, policy);
  const { policy: still } = await run({ valueLearningRate: 0 });
  assert.deepEqual([...still.values], Array(V).fill(0));
  const { policy: only } = await run({ learningRate: 0, valueLearningRate: 0.5 });
  assert.deepEqual(only.logits, new TablePolicy(V, wave).logits);
  assert.ok(only.values.some((v) => v !== 0));
});

Deno.test("a schedule by optimizer steps goes on within a rollout; warm-up counts them too", async () => {
  const rates = async (settings: TrainerSettings, steps: number) =>
    (await run(settings, steps)).policy.rates.map((of) => of.policy);
  const at = { totalSteps: 2, learningRate: 0.08, scheduleUnit: "optimizer-steps" } as const;
  const linear = { ...at, learningRateSchedule: "linear" } as const;
  const falling = [8, 7, 6, 5, 4, 3, 2, 1].map((x) => x / 100);
  assertClose(await rates(linear, 2), falling, "linear", 1e-12);
  const warm = [0.02, 0.04, 0.06, 0.08, 0.064, 0.048, 0.032, 0.016];
  assertClose(await rates({ ...linear, warmupSteps: 3 }, 2), warm, "warm-up", 1e-12);
  const cosine = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => 0.04 * (1 + Math.cos(Math.PI * k / 8)));
  assertClose(await rates({ ...at, learningRateSchedule: "cosine" }, 2), cosine, "cosine", 1e-12);
  const constant = [0.04, 0.08, 0.08, 0.08];
  assertClose(await rates({ ...at, warmupSteps: 1 }, 1), constant, "constant", 1e-12);
  const rollouts = [0.08, 0.08, 0.08, 0.08, 0.04, 0.04, 0.04, 0.04];
  assertClose(await rates({ ...linear, scheduleUnit: "rollouts" }, 2), rollouts, "rollouts", 1e-12);
  // The critic's epochs spread over the same stretch, however many they are.
  const { policy } = await run(
    { ...linear, criticFirst: "head", criticEpochs: 1, minibatches: 2 },
    1,
  );
  assertClose(policy.rates.map((of) => of.value), [0.08, 0.06, 0, 0, 0, 0], "critic", 1e-12);
  assertClose(policy.rates.map((of) => of.policy), [0, 0, ...falling.slice(0, 4)], "actor", 1e-12);
});

Deno.test("after an early stop the next rollout's rates are those that it would have had", async () => {
  const schedule = {
    learningRateSchedule: "linear",
    totalSteps: 2,
    scheduleUnit: "optimizer-steps",
  };
  const { policy } = await run({ ...schedule, targetKl: 1e-9, minibatches: 1 } as never, 2);
  assertClose(policy.rates.map((of) => of.policy), [0.05, 0.025], "rates", 1e-12);
});

Deno.test("PPO's row of the value head names what takes the place of a default", () => {
  const { valueLearningRate, criticEpochs } = ppo.options.rows;
  assert.deepEqual([valueLearningRate.otherwise, criticEpochs.otherwise], [
    "learningRate",
    "epochs",
  ]);
});
