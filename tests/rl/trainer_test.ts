import assert from "node:assert/strict";
import { assertClose } from "../_close.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import type { Evaluation, Rollout, TokenBatch } from "../../rl/policy.ts";
import { maskedMean, maskedVariance } from "../../rl/stats.ts";
import { Trainer, type TrainerSettings } from "../../rl/trainer.ts";
import { EOS, TablePolicy } from "./_table_policy.ts";

const V = 6;
const PROMPTS = Array.from({ length: 30 }, (_, i) => Int32Array.of(1 + i % 5));
const FAST: TrainerSettings = { learningRate: 0.05, maxNewTokens: 3, klCoefficient: 0.01 };

/** 1 where the first token is the prompt's successor, else 0. */
function successor({ prompts, responses }: Rollout): Promise<number[]> {
  return Promise.resolve(prompts.map((p, b) => responses[b][0] === 1 + p[0] % 5 ? 1 : 0));
}

const wave = (i: number) => Math.sin(3 * i);

/** A policy whose completions are given, not drawn. */
class Recorded extends TablePolicy {
  constructor(readonly answers: number[][], init?: (i: number) => number) {
    super(V, init);
  }
  override async generate(prompts: Int32Array[]): Promise<Rollout> {
    const responses = this.answers.map((answer) => Int32Array.from(answer));
    const { logprob } = await this.evaluate({ prompts, responses, temperature: 1 });
    const T = logprob.length / responses.length;
    return {
      prompts,
      responses,
      finished: this.answers.map((answer) => answer[answer.length - 1] === EOS),
      logprobs: responses.map((r, b) => logprob.slice(b * T, b * T + r.length)),
    };
  }
}
const recordedPrompts = (answers: number[][]) => answers.map((_, b) => Int32Array.of(1 + b % 5));

Deno.test("PPO teaches a lookup table which token follows, and raises its value estimate", async () => {
  for (const seed of [1, 2, 3]) {
    const policy = new TablePolicy(V);
    const trainer = new Trainer(policy, { ...FAST, seed });
    const first = (await trainer.step(PROMPTS, successor)).metrics;
    for (let i = 0; i < 39; i++) await trainer.step(PROMPTS, successor);
    const last = (await trainer.step(PROMPTS, successor)).metrics;
    assert.ok(first["score/mean"] < 0.4, `before ${first["score/mean"]}`);
    assert.ok(last["score/mean"] > 0.9, `after ${last["score/mean"]}`);
    assert.ok(last["policy/entropy"] < first["policy/entropy"]);
    assert.ok(last["value/mean"] > 0.2);
    assert.ok(last["kl/reference"] > 0.3);
  }
});

Deno.test("every step reports every metric of the table, in its order, as a finite number", async () => {
  const trainer = new Trainer(new TablePolicy(V, wave), FAST);
  const { metrics, scores, rollout } = await trainer.step(PROMPTS, successor);
  assert.deepEqual(Object.keys(metrics), ppo.metrics.map((row) => row.name));
  for (const [name, value] of Object.entries(metrics)) assert.ok(Number.isFinite(value), name);
  assert.deepEqual(scores, await successor(rollout));
  assert.equal(metrics["rewards/scored_count"], 30);
  assert.equal(metrics["tokens/queries_len_mean"], 1);
  const lengths = rollout.responses.map((r) => r.length);
  const mean = lengths.reduce((a, b) => a + b) / 30;
  assert.ok(Math.abs(metrics["tokens/responses_len_mean"] - mean) < 1e-12);
  const share = rollout.finished.filter((f) => f).length / 30;
  assert.ok(Math.abs(metrics["tokens/finished_share"] - share) < 1e-12);
});

Deno.test("the same seed gives the same run to the last bit, another seed another run", async () => {
  const run = async (seed: number) => {
    const trainer = new Trainer(new TablePolicy(V), { ...FAST, seed, minibatches: 3 });
    const all = [];
    for (let i = 0; i < 3; i++) all.push((await trainer.step(PROMPTS, successor)).metrics);
    return all;
  };
  assert.deepEqual(await run(1), await run(1));
  assert.notDeepEqual(await run(1), await run(2));
});

Deno.test("a run that is saved and restored goes on exactly as one that never stopped", async () => {
  const settings: TrainerSettings = {
    ...FAST,
    minibatches: 3,
    learningRateSchedule: "cosine",
    totalSteps: 8,
    klTarget: 0.1,
    klHorizon: 100,
  };
  const whole = new TablePolicy(V), through = new Trainer(whole, settings);
  const want = [];
  for (let i = 0; i < 6; i++) want.push((await through.step(PROMPTS, successor)).metrics);

  const before = new TablePolicy(V), first = new Trainer(before, settings);
  for (let i = 0; i < 3; i++) await first.step(PROMPTS, successor);
  const saved = JSON.stringify({ policy: before.save(), trainer: first.state() });
  const { policy, trainer } = JSON.parse(saved);
  const after = new TablePolicy(V), second = new Trainer(after, settings);
  after.load(policy);
  second.restore(trainer);
  const got = [];
  for (let i = 0; i < 3; i++) got.push((await second.step(PROMPTS, successor)).metrics);
  assert.deepEqual(got, want.slice(3));
  assert.deepEqual(after.save(), whole.save());
  assert.deepEqual(second.state(), through.state());
});

Deno.test("restore() refuses what is not a state", () => {
  const trainer = new Trainer(new TablePolicy(V));
  const state = trainer.state();
  const refused: [Parameters<Trainer["restore"]>[0], string][] = [
    [{ ...state, step: 1.5 }, "step must be a whole number >= 0: it is 1.5"],
    [{ ...state, step: -1 }, "step must be a whole number >= 0: it is -1"],
    [{ ...state, faults: Infinity }, "faults must be a number >= 0: it is Infinity"],
    [{ step: 3, klCoefficient: 0.1 }, "faults must be a number >= 0: it is undefined"],
    [{ ...state, algorithm: {} }, "klCoefficient must be a number >= 0: it is undefined"],
  ];
  for (const klCoefficient of [NaN, -0.1]) {
    const rule = `klCoefficient must be a number >= 0: it is ${klCoefficient}`;
    refused.push([{ ...state, algorithm: { klCoefficient } }, rule]);
  }
  for (const [saved, rule] of refused) {
    const message = `Cannot restore the trainer as ${rule}`;
    assert.throws(() => trainer.restore(saved), { name: "TypeError", message });
  }
  assert.deepEqual(trainer.state(), state);
});

Deno.test("restore() reads the state that earlier versions saved", () => {
  const trainer = new Trainer(new TablePolicy(V));
  trainer.restore({ step: 7, klCoefficient: 0.125, faults: 1 });
  assert.deepEqual(trainer.state(), { step: 7, faults: 1, algorithm: { klCoefficient: 0.125 } });
});

Deno.test("the ratio is exactly 1 in the first epoch, whether or not the pass is shared", async () => {
  for (const microbatchRows of [0, 7]) {
    const trainer = new Trainer(new TablePolicy(V, wave), {
      ...FAST,
      epochs: 1,
      microbatchRows,
    });
    const { metrics } = await trainer.step(PROMPTS, successor);
    for (const name of ["ratio", "ratio_min", "ratio_max"]) {
      assert.equal(metrics[`policy/${name}`], 1);
    }
    for (const name of ["approxkl", "policykl", "clipfrac"]) {
      assert.ok(metrics[`policy/${name}`] === 0, name);
    }
    assert.ok(metrics["sampling/logp_difference_max"] < 1e-6);
  }
});

Deno.test("old log-probabilities stay those of the rollout in later epochs", async () => {
  const trainer = new Trainer(new TablePolicy(V, wave), { ...FAST, epochs: 3 });
  const { metrics } = await trainer.step(PROMPTS, successor);
  assert.ok(metrics["policy/ratio_max"] > 1.05);
  assert.ok(metrics["policy/approxkl"] > 1e-4);
});

Deno.test("one minibatch in one piece shares its first pass; anything else does not", async () => {
  const count = async (settings: TrainerSettings) => {
    const policy = new TablePolicy(V, wave);
    await new Trainer(policy, { ...FAST, epochs: 2, ...settings }).step(PROMPTS, successor);
    return policy.evaluations;
  };
  assert.equal(await count({}), 2);
  assert.equal(await count({ microbatchRows: 30 }), 2);
  assert.equal(await count({ microbatchRows: 15 }), 2 + 2 * 2);
  assert.equal(await count({ minibatches: 2 }), 1 + 2 * 2);
});

Deno.test("pieces of any size lead to the same weights", async () => {
  const run = async (microbatchRows: number, minibatches: number) => {
    const policy = new TablePolicy(V, wave);
    const settings = { ...FAST, microbatchRows, minibatches, entropyCoefficient: 0.01 };
    const { metrics } = await new Trainer(policy, settings).step(PROMPTS, successor);
    return { weights: [...policy.logits, ...policy.values], metrics: Object.values(metrics) };
  };
  for (const minibatches of [1, 2]) {
    const whole = await run(0, minibatches);
    for (const size of [1, 4, 11]) {
      const { weights, metrics } = await run(size, minibatches);
      assertClose(weights, whole.weights, `weights in pieces of ${size}`, 1e-5);
      assertClose(metrics, whole.metrics, `metrics in pieces of ${size}`, 1e-4);
    }
  }
});

Deno.test("every epoch sees every row once, in another order", async () => {
  const seen: number[][] = [];
  class Watched extends TablePolicy {
    override evaluate(batch: TokenBatch): Promise<Evaluation> {
      seen.push(batch.prompts.map((prompt) => prompt[0]));
      return super.evaluate(batch);
    }
  }
  const prompts = Array.from({ length: 12 }, (_, b) => Int32Array.of(b, 1));
  const settings = { ...FAST, epochs: 2, minibatches: 5 };
  const trainer = new Trainer(new Watched(V, wave), settings);
  const score = ({ prompts }: Rollout) => Promise.resolve(prompts.map((p) => p[0]));
  await trainer.step(prompts, score);
  const [all, ...parts] = seen.splice(0);
  const orders = [parts.slice(0, 5).flat(), parts.slice(5).flat()];
  for (const order of orders) assert.deepEqual([...order].sort((a, b) => a - b), all);
  assert.notDeepEqual(orders[0], orders[1]);
  assert.deepEqual(parts.slice(0, 5).map((part) => part.length), [2, 2, 3, 2, 3]);
  await trainer.step(prompts, score);
  assert.notDeepEqual(seen.slice(1, 6).flat(), orders[0]);
});

Deno.test("a row without a score is counted, and has no part in the update", async () => {
  const answers = [[2, EOS], [1, 3, EOS], [4, 4, 4], [EOS]], score = [1, -0.5, null, 0.3];
  const kept = [0, 1, 3];
  const all = new Recorded(answers, wave), some = new Recorded(kept.map((b) => answers[b]), wave);
  const settings = { ...FAST, klTarget: 0.1, klHorizon: 10 };
  all.frozen.fill(0);
  some.frozen.fill(0);
  const prompts = recordedPrompts(answers);
  const one = new Trainer(all, settings), two = new Trainer(some, settings);
  const { metrics, scores } = await one.step(prompts, () => Promise.resolve(score));
  const scoresKept = () => Promise.resolve(kept.map((b) => score[b]));
  const alone = (await two.step(kept.map((b) => prompts[b]), scoresKept)).metrics;
  assert.deepEqual(scores, score);
  assert.equal(metrics["rewards/null_count"], 1);
  assert.equal(metrics["rewards/scored_count"], 3);
  assert.ok(Math.abs(metrics["score/mean"] - 0.8 / 3) < 1e-6);
  for (const [name, value] of Object.entries(metrics)) {
    if (/^(rewards|tokens)/.test(name)) continue; // these speak of every response
    assertClose([value], [alone[name]], name, 1e-9);
  }
  assertClose(all.logits, some.logits, "logits", 1e-9);
  assertClose(all.values, some.values, "values", 1e-9);
  assert.deepEqual(one.state(), two.state());
});

Deno.test("the end-of-text token is learned like any other, and what follows it is not", async () => {
  const policy = new Recorded([[2, EOS], [EOS], [3, 3, EOS]], wave);
  const trainer = new Trainer(policy, { ...FAST, epochs: 1 });
  await trainer.step(recordedPrompts(policy.answers), () => Promise.resolve([1, -1, 0.2]));
  const [{ dlogprob, dvalue }] = policy.gradients;
  const learned = (x: Float32Array) => Array.from(x, (g) => g !== 0);
  const mask = [true, true, false, true, false, false, true, true, true];
  assert.deepEqual(learned(dlogprob), mask);
  assert.deepEqual(learned(dvalue!), mask);
});

Deno.test("kl/reference is the sum over a sequence, and the coefficient adapts after the step", async () => {
  const answers = [[1, 2, 3, EOS], [EOS]];
  const policy = new Recorded(answers, wave);
  policy.frozen.fill(0); // the reference is uniform: log-probability -ln 6 everywhere
  const settings = { ...FAST, klCoefficient: 0.3, klTarget: 0.5, klHorizon: 100 };
  const trainer = new Trainer(policy, settings);
  const prompts = recordedPrompts(answers);
  const { logprobs } = await policy.generate(prompts);
  const sums = logprobs.map((row) => row.reduce((s, l) => s + l + Math.log(V), 0));
  const kl = (sums[0] + sums[1]) / 2;
  const { metrics } = await trainer.step(prompts, () => Promise.resolve([0, 1]));
  assert.ok(Math.abs(metrics["kl/reference"] - kl) < 1e-5);
  assert.equal(metrics["kl/coefficient"], 0.3);
  const error = Math.max(-0.2, Math.min(0.2, kl / 0.5 - 1));
  assert.ok(Math.abs(trainer.state().algorithm.klCoefficient - 0.3 * (1 + error * 2 / 100)) < 1e-9);
  assert.ok(Math.abs(metrics["kl/penalty_mean"] + 0.3 * (sums[0] + sums[1]) / 5) < 1e-5);
});

Deno.test("learning rate, entropy and KL coefficients follow their schedules", async () => {
  const trainer = new Trainer(new TablePolicy(V), {
    ...FAST,
    totalSteps: 4,
    learningRate: 0.08,
    learningRateSchedule: "linear",
    learningRateFinal: 0.04,
    klControl: "linear",
    klCoefficient: 0.2,
    klFinal: 0.1,
    entropyCoefficient: 0.4,
    entropySchedule: "linear",
    epochs: 1,
  });
  for (let i = 0; i < 4; i++) {
    const { metrics: m } = await trainer.step(PROMPTS, successor);
    assert.ok(Math.abs(m["optimizer/learning_rate"] - (0.08 - 0.01 * i)) < 1e-12);
    assert.ok(Math.abs(m["kl/coefficient"] - (0.2 - 0.025 * i)) < 1e-12);
    const entropy = m["loss/policy"] + 0.1 * m["loss/value"] - m["loss/total"];
    assert.ok(Math.abs(entropy / m["policy/entropy"] - (0.4 - 0.1 * i)) < 1e-9);
  }
  const fixed = new Trainer(new TablePolicy(V), { ...FAST, klControl: "fixed" });
  await fixed.step(PROMPTS, successor);
  assert.equal(fixed.state().algorithm.klCoefficient, 0.01);
});

Deno.test("past target KL the update stops before the optimiser step and leaves no gradient", async () => {
  const run = async (settings: TrainerSettings) => {
    const policy = new TablePolicy(V, wave);
    const trainer = new Trainer(policy, { ...FAST, learningRate: 0.3, ...settings });
    return { policy, metrics: (await trainer.step(PROMPTS, successor)).metrics };
  };
  for (const microbatchRows of [0, 7]) {
    const stopped = await run({ targetKl: 0.02, microbatchRows });
    assert.equal(stopped.metrics["optimizer/epochs"], 1);
    assert.equal(stopped.policy.steps, 1);
    assert.ok([...stopped.policy.dlogits, ...stopped.policy.dvalues].every((g) => g === 0));
    assert.equal(stopped.metrics["optimizer/skipped_updates"], 0);
    const once = await run({ epochs: 1, microbatchRows });
    assert.deepEqual(stopped.policy.save(), once.policy.save());
  }
  const half = await run({ targetKl: 0.02, minibatches: 2, epochs: 4 });
  assert.equal(half.metrics["optimizer/epochs"], 0.5);
  const off = await run({ targetKl: 0 });
  assert.equal(off.metrics["optimizer/epochs"], 4);
});

Deno.test("a cut-off response is followed by nothing, or by its last estimate if so configured", async () => {
  const returns = async (truncated: "zero" | "value") => {
    const policy = new Recorded([[2, 3], [EOS]]);
    policy.values.fill(5);
    const settings = { ...FAST, truncated, klCoefficient: 0, lambda: 1 };
    const trainer = new Trainer(policy, settings);
    const prompts = recordedPrompts(policy.answers);
    const { metrics } = await trainer.step(prompts, () => Promise.resolve([1, 1]));
    return metrics["returns/mean"];
  };
  assert.ok(Math.abs(await returns("zero") - 1) < 1e-6);
  assert.ok(Math.abs(await returns("value") - (6 + 6 + 1) / 3) < 1e-6);
});

Deno.test("what follows a cut-off response is its own last estimate, however long the others are", async () => {
  const policy = new Recorded([[2, 3], [4, 1, 2, EOS], [3, 1, 5, 4]]); // the first and last are cut off
  policy.values.set([0, 0.1, 0.2, 0.3, 0.4, 0.5]);
  const settings = { ...FAST, klCoefficient: 0, lambda: 1, epochs: 1 };
  const trainer = new Trainer(policy, { ...settings, truncated: "value" });
  const { experience: { returns } } = await trainer.step(
    recordedPrompts(policy.answers),
    () => Promise.resolve([1, 1, 1]),
  );
  // A value is that of the token before: the last of row 0 comes after 2, of row 2 after 5.
  const wanted = [1.2, 1.2, 0, 0, 1, 1, 1, 1, 1.5, 1.5, 1.5, 1.5];
  assertClose(returns!, wanted, "returns", 1e-6);
});

Deno.test("advantages have variance 1 by the convention that is asked for, and so have rewards", async () => {
  const run = async (settings: TrainerSettings) => {
    const policy = new Recorded([[2, 3, EOS], [EOS], [4, EOS]], wave);
    policy.values.set([0.3, -0.2, 0.1, 0.5, 0, 0.2]);
    const trainer = new Trainer(policy, { ...FAST, ...settings });
    const score = () => Promise.resolve([3, -1, 0.5]);
    return (await trainer.step(recordedPrompts(policy.answers), score)).experience;
  };
  for (const variance of ["sample", "population"] as const) {
    const { advantage, grid } = await run({ whitenAdvantages: variance });
    assertClose([maskedVariance(advantage, grid.mask, variance)], [1], variance, 1e-5);
    assertClose([maskedMean(advantage, grid.mask)], [0], "mean", 1e-6);
    const rewards = await run({
      whitenAdvantages: variance,
      whitenRewards: true,
      lambda: 0,
      gamma: 0,
    });
    const earned = rewards.returns!; // with gamma 0 a return is its token's own reward
    assertClose([maskedVariance(earned, grid.mask, variance)], [1], `rewards, ${variance}`, 1e-5);
    const plain = (await run({ lambda: 0, gamma: 0 })).returns!;
    assertClose([maskedMean(earned, grid.mask)], [maskedMean(plain, grid.mask)], "kept mean", 1e-6);
  }
});

Deno.test("a learning rate warms up, then decays over what is left of the run", async () => {
  const trainer = new Trainer(new TablePolicy(V), {
    ...{ ...FAST, totalSteps: 6, learningRate: 0.08, learningRateFinal: 0.02, epochs: 1 },
    ...{ learningRateSchedule: "linear", warmupSteps: 2 },
  });
  for (const rate of [0.08 / 3, 0.16 / 3, 0.08, 0.065, 0.05, 0.035]) {
    const { metrics } = await trainer.step(PROMPTS, successor);
    assertClose([metrics["optimizer/learning_rate"]], [rate], "rate", 1e-12);
  }
});

Deno.test("scores are clamped to scoreClip, advantages stay raw when whitening is off", async () => {
  const policy = new Recorded([[EOS], [EOS]]);
  const settings = { ...FAST, scoreClip: 2, whitenAdvantages: "off" as const, klCoefficient: 0 };
  const trainer = new Trainer(policy, settings);
  const { metrics, scores } = await trainer.step(
    recordedPrompts(policy.answers),
    () => Promise.resolve([9, -1]),
  );
  assert.deepEqual(scores, [9, -1]);
  assert.equal(metrics["score/mean"], 0.5);
  assert.equal(metrics["advantages/mean"], 0.5);
  const below = new Trainer(new Recorded([[EOS], [EOS]]), settings);
  const low = await below.step(recordedPrompts(policy.answers), () => Promise.resolve([-9, 1]));
  assert.deepEqual([...low.experience.score], [-2, 1]);
  const unclipped = new Trainer(new Recorded([[EOS], [EOS]]), { ...settings, scoreClip: 0 });
  const { experience } = await unclipped.step(
    recordedPrompts(policy.answers),
    () => Promise.resolve([5000, -700]),
  );
  assert.deepEqual([...experience.score], [5000, -700]);
});

Deno.test("the largest gap between sampler and training pass is reported", async () => {
  class Off extends Recorded {
    override async generate(prompts: Int32Array[]): Promise<Rollout> {
      const rollout = await super.generate(prompts);
      rollout.logprobs[1][0] -= 0.25;
      return rollout;
    }
  }
  const policy = new Off([[2, EOS], [3, EOS]], wave);
  const step = await new Trainer(policy, FAST).step(
    recordedPrompts(policy.answers),
    () => Promise.resolve([1, 0]),
  );
  assert.ok(Math.abs(step.metrics["sampling/logp_difference_max"] - 0.25) < 1e-6);
});

Deno.test("the explained variance is 1 - error / variance, 1 for a perfect value head, none for equal returns", async () => {
  const explained = async (values: number[], scores: number[]) => {
    const policy = new Recorded([[EOS], [EOS], [EOS]]);
    policy.values.set(values);
    const settings = { ...FAST, klCoefficient: 0, epochs: 1, learningRate: 0 };
    const trainer = new Trainer(policy, settings);
    const prompts = recordedPrompts(policy.answers);
    return (await trainer.step(prompts, () => Promise.resolve(scores))).metrics;
  };
  // Prompts end with tokens 1, 2 and 3; returns are the scores, of sample variance 4.
  const scores = [1, 3, 5];
  const name = "value/explained_variance";
  assert.equal((await explained([0, 1, 3, 5], scores))[name], 1);
  const constant = await explained([0, 3, 3, 3], scores);
  assert.ok(Math.abs(constant["returns/var"] - 4) < 1e-6);
  assert.ok(Math.abs(constant["value/error"] - 8 / 3) < 1e-6);
  assert.ok(Math.abs(constant[name] - (1 - 8 / 3 / 4)) < 1e-6);
  assert.equal((await explained([0, 1, 3, 5], [2, 2, 2]))[name], NaN);
});
