/** What every algorithm of the registry must do alike, with a policy small enough to see through. */
import assert from "node:assert/strict";
import type { Algorithm } from "../../rl/algorithm.ts";
import { findAlgorithm, listAlgorithms } from "../../rl/algorithms/registry.ts";
import { tokenMean } from "../../rl/loss/normalise.ts";
import type { Rollout } from "../../rl/policy.ts";
import { mean } from "../../rl/stats.ts";
import { Trainer, type TrainerStep } from "../../rl/trainer.ts";
import { assertClose, assertRelative } from "../_close.ts";
import { TablePolicy } from "./_table_policy.ts";

const V = 6;
const PROMPTS = Array.from({ length: 24 }, (_, i) => Int32Array.of(1 + i % 5));
const score = ({ prompts, responses }: Rollout) =>
  Promise.resolve(
    responses.map((r, b) => (r[0] === 1 + prompts[b][0] % 5 ? 1 : 0) + 0.1 * r.length),
  );
/** What makes any two of them comparable: no KL, no entropy, groups of 4 where there are groups. */
function settingsOf(algorithm: Algorithm, more: Record<string, unknown> = {}) {
  const all = { klCoefficient: 0, groupSize: 4, learningRate: 0.05, maxNewTokens: 4, ...more };
  const own = { ...algorithm.options.rows, learningRate: 1, maxNewTokens: 1, microbatchRows: 1 };
  return Object.fromEntries(
    Object.entries({ ...all, epochs: 1 })
      .filter(([name]) => Object.hasOwn(own, name) || ["epochs", "minibatches"].includes(name)),
  );
}
/** The same prompts in every draw. */
const promptsOf = ({ needs: { groupSize } }: Trainer) => ({
  count: 24 / groupSize,
  take: (_: number, count: number) => PROMPTS.slice(0, count),
});

async function firstStep(
  algorithm: Algorithm,
  more?: Record<string, unknown>,
): Promise<{ policy: TablePolicy; step: TrainerStep; weight: Float64Array }> {
  const policy = new TablePolicy(V, (i) => Math.sin(3 * i));
  const trainer = new Trainer(policy, settingsOf(algorithm, more), algorithm);
  const step = await trainer.step(promptsOf(trainer), score);
  const { experience: { grid, rollout } } = step;
  const context = { config: trainer.config, step: 0, state: trainer.state().algorithm };
  const rows = Array.from({ length: grid.B }, (_, b) => b);
  const weight = algorithm.weights?.({ grid, rows, finished: rollout.finished }, context) ??
    tokenMean(grid);
  return { policy, step, weight };
}

for (const algorithm of listAlgorithms()) {
  const { name } = algorithm;
  Deno.test(`${name}: the first update's gradient is -A times the normaliser`, async () => {
    const { policy, step, weight } = await firstStep(algorithm);
    const { experience: { advantage, grid }, metrics } = step;
    assert.equal(policy.gradients.length, 1);
    assert.ok(advantage.some((a) => Math.abs(a) > 0.01));
    // A response whose ratio is the product of its tokens' has one loss, not one a token.
    const tokens = (i: number) => name === "rloo" ? grid.length[Math.floor(i / grid.T)] : 1;
    const want = Float64Array.from(
      weight,
      (w, i) => grid.mask[i] ? -advantage[i] * w * tokens(i) : 0,
    );
    assertClose(policy.gradients[0].dlogprob, want, name, 1e-7);
    for (const ratio of ["policy/ratio", "policy/ratio_min", "policy/ratio_max"]) {
      assert.equal(metrics[ratio], 1);
    }
    assert.equal(metrics["policy/clipfrac"] ?? 0, 0); // pgsrm has no clip
    assert.deepEqual(Object.keys(metrics), algorithm.metrics.map(({ name }) => name));
  });

  Deno.test(`${name}: pieces of 1, 4 or 12 rows give the gradient of all rows at once`, async () => {
    // The second epoch is off-policy, so that ratios and clips take part.
    const run = async (microbatchRows: number) => {
      const policy = new TablePolicy(V, (i) => Math.sin(3 * i));
      const trainer = new Trainer(
        policy,
        { ...settingsOf(algorithm, { microbatchRows }), epochs: 3, minibatches: 2 },
        algorithm,
      );
      await trainer.step(promptsOf(trainer), score);
      return policy.logits;
    };
    const whole = await run(0);
    for (const rows of [1, 4, 12]) assertRelative(await run(rows), whole, `${rows} rows`, 1e-6);
  });

  Deno.test(`${name} learns the successor of a token`, async () => {
    const policy = new TablePolicy(V);
    const trainer = new Trainer(
      policy,
      settingsOf(algorithm, { maxNewTokens: 2, learningRate: 0.1 }),
      algorithm,
    );
    let drawn: number[] = []; // of a step, evicted ones too
    const successor = ({ prompts, responses }: Rollout) => {
      const scores = responses.map((r, b) => r[0] === 1 + prompts[b][0] % 5 ? 1 : 0);
      drawn.push(...scores);
      return Promise.resolve(scores);
    };
    const shares: number[] = [];
    for (let i = 0; i < 80; i++) {
      drawn = [];
      const { metrics } = await trainer.step(promptsOf(trainer), successor);
      shares.push(mean(drawn));
      const isSolved = metrics["groups/learned"] === 0; // so that there is no loss
      assert.equal(Number.isFinite(metrics["loss/total"]), !isSolved);
      assert.ok(!isSolved || mean(drawn) > 0.9);
    }
    assert.ok(shares[0] < 0.5 && mean(shares.slice(-10)) > 0.85, shares.join(" "));
  });
}

Deno.test("CISPO with an absolute cap of 0.2, as TRL's default is, takes a fifth of the first step", async () => {
  const cispo = findAlgorithm("cispo");
  const [whole, fifth] = await Promise.all([
    firstStep(cispo),
    firstStep(cispo, { weightCap: 0.2 }),
  ]);
  const want = whole.policy.gradients[0].dlogprob.map((g) => 0.2 * g);
  assertClose(fifth.policy.gradients[0].dlogprob, want, "dlogprob", 1e-9);
});

Deno.test("KL in the loss needs a reference, is reported, and pulls back", async () => {
  const grpo = findAlgorithm("grpo");
  const run = async (klCoefficient: number): Promise<Record<string, number>> => {
    const policy = new TablePolicy(V, (i) => Math.sin(i));
    const trainer = new Trainer(policy, { ...settingsOf(grpo), klCoefficient }, grpo);
    assert.equal(trainer.needs.reference, klCoefficient > 0);
    let last!: TrainerStep, kl = 0;
    for (let i = 0; i < 40; i++) {
      last = await trainer.step(promptsOf(trainer), score);
      if (i >= 20) kl += last.metrics["kl/reference"] / 20;
    }
    return { ...last.metrics, kl };
  };
  const free = await run(0), held = await run(0.5);
  assert.ok(Number.isNaN(free["kl/reference"]) && Number.isNaN(free["kl/coefficient"]));
  assert.ok(Number.isNaN(free["loss/kl"]));
  assert.equal(held["kl/coefficient"], 0.5);
  assert.ok(held["loss/kl"] > 0 && Number.isNaN(held["kl/penalty_mean"]));
  const far = await run(0.001);
  assert.ok(held.kl > 0 && held.kl < far.kl / 2, `${held.kl} ${far.kl}`);
});

Deno.test("KL in the reward is taken off each response's score before it is compared", async () => {
  const rloo = findAlgorithm("rloo");
  const policy = new TablePolicy(V, (i) => Math.sin(i));
  const trainer = new Trainer(
    policy,
    { ...settingsOf(rloo), klCoefficient: 0.3, groupSize: 2 },
    rloo,
  );
  await trainer.step(PROMPTS.slice(0, 12), score);
  const { experience: { grid: { T, length }, score: scores, kl, advantage, penalty }, metrics } =
    await trainer.step(PROMPTS.slice(0, 12), score);
  const reward = Array.from(scores, (s, b) => {
    for (let t = 0; t < length[b]; t++) s -= 0.3 * kl![b * T + t];
    return s;
  });
  for (let b = 0; b < 24; b++) {
    const other = reward[b ^ 1];
    assertClose([advantage[b * T]], [reward[b] - other], `response ${b}`, 1e-6);
  }
  assert.ok(metrics["kl/penalty_mean"] !== 0 && penalty!.some((x) => x !== 0));
});

Deno.test("REINFORCE++ whitens returns of single tokens, population or sample", () => {
  const lengths = [4, 2, 3, 1], R = [1, 0, 0, 1];
  for (const [whitenVariance, size] of [["population", 1], ["sample", 0.948683281]] as const) {
    const algorithm = findAlgorithm("reinforce++");
    const mask = Uint8Array.from({ length: 16 }, (_, i) => i % 4 < lengths[i >> 2] ? 1 : 0);
    const grid = { B: 4, T: 4, mask, length: Int32Array.from(lengths) };
    const trainer = new Trainer(new TablePolicy(V), { whitenVariance }, algorithm);
    const { advantage } = algorithm.advantages(
      { grid, score: Float32Array.from(R), scored: Array(4).fill(true), old: {} } as never,
      { config: trainer.config, step: 0, state: { klCoefficient: 0 } },
    );
    for (let b = 0; b < 4; b++) {
      assertClose([advantage[4 * b]], [(R[b] ? 1 : -1) * size], whitenVariance, 1e-6);
    }
  }
});

Deno.test("REINFORCE++ pays each token's KL in the returns of the tokens up to it", () => {
  const algorithm = findAlgorithm("reinforce++");
  const mask = Uint8Array.of(1, 1, 1, 1, 1, 0), length = Int32Array.of(3, 2);
  const old = { logprob: Float32Array.of(-1, -2, -1, -1, -3, 0), entropy: new Float32Array(6) };
  const reference = Float32Array.of(-1.5, -2.25, -2, -1, -4, 0);
  const { config } = new Trainer(new TablePolicy(V), { whitenVariance: "population" }, algorithm);
  const { advantage, penalty } = algorithm.advantages(
    {
      grid: { B: 2, T: 3, mask, length },
      score: Float32Array.of(1, 0),
      scored: [true, true],
      old,
      reference,
    } as never,
    { config, step: 0, state: { klCoefficient: 0.5 } },
  );
  const nats = [0.5, 0.25, 1, 0, 1];
  assertClose(penalty!.filter((_, i) => mask[i]), nats.map((k) => -0.5 * k), "penalty", 1e-6);
  const returns = [1 - 0.875, 1 - 0.625, 1 - 0.5, -0.5, -0.5];
  const mean = returns.reduce((sum, x) => sum + x) / 5;
  const std = Math.sqrt(returns.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 5);
  const want = returns.map((x) => (x - mean) / std);
  assertClose(advantage.filter((_, i) => mask[i]), want, "advantage", 1e-6);
});

Deno.test("weights against the sampler scale the policy's gradient, and KL's not", () => {
  const grpo = findAlgorithm("grpo");
  const one = (x: number) => Float64Array.of(x);
  const gradient = (samplerWeights: string, klCoefficient: number) => {
    const { config } = new Trainer(new TablePolicy(V), { samplerWeights }, grpo);
    const grid = { B: 1, T: 1, mask: Uint8Array.of(1), length: Int32Array.of(1) };
    const piece = {
      grid,
      logprob: one(-1),
      oldLogprob: one(-1),
      sampled: one(-1.5),
      entropy: one(1),
      reference: one(-2),
      advantage: one(2),
    };
    const context = { config, step: 0, state: { klCoefficient } };
    return grpo.loss(piece, one(1), context).gradient.dlogprob[0];
  };
  const kl = 1 - Math.exp(-1); // k3's, at a log-ratio of 1 to the reference
  assertClose([gradient("off", 0.5)], [-2 + 0.5 * kl], "off", 1e-6);
  const weighted = -2 * Math.exp(0.5) + 0.5 * kl;
  assertClose([gradient("token-truncate", 0.5)], [weighted], "on", 1e-6);
});

Deno.test("what tells the algorithms apart by their defaults", () => {
  const of = (name: string) => findAlgorithm(name).options.defaults as Record<string, unknown>;
  const normalisers = Object.fromEntries(
    ["grpo", "dr-grpo", "bnpo", "gspo", "luspo"].map((name) => [name, of(name).lossNormaliser]),
  );
  assert.deepEqual(normalisers, {
    "grpo": "sequences",
    "dr-grpo": "constant",
    "bnpo": "tokens",
    "gspo": "sequences",
    "luspo": "sequence-sums",
  });
  assert.deepEqual([of("grpo").advantageScale, of("dr-grpo").advantageScale], ["sample", "none"]);
  assert.deepEqual([of("rloo").baseline, of("rloo").klIn], ["leave-one-out", "reward"]);
  const needs = (settings: Record<string, unknown>) =>
    new Trainer(new TablePolicy(V), settings, "grpo").needs.reference;
  assert.equal(needs({}), false);
  assert.equal(needs({ klCoefficient: 0.01 }), true);
  assert.equal(needs({ klControl: "linear", klFinal: 0.1 }), true); // it comes later
});

Deno.test("a response that was cut off counts in its group, and with maskTruncated not in the loss", async () => {
  const grpo = findAlgorithm("grpo");
  const { policy, step } = await firstStep(grpo, { maskTruncated: true, maxNewTokens: 2 });
  const { finished } = step.rollout, { grid: { T }, advantage } = step.experience;
  const { dlogprob } = policy.gradients[0];
  assert.ok(finished.includes(true) && finished.includes(false));
  finished.forEach((is, b) => {
    assert.equal(dlogprob[b * T] !== 0, is && advantage[b * T] !== 0, `response ${b}`);
  });
});

Deno.test("ReMax compares with the greedy completion of the same prompt, and excludes what has none", async () => {
  const remax = findAlgorithm("remax"), asked: string[] = [];
  const policy = new TablePolicy(V, (i) => Math.sin(i));
  const trainer = new Trainer(policy, settingsOf(remax), remax);
  const greedy: (number | null)[] = [];
  const { experience: { advantage, grid: { T }, scored }, metrics, scores } = await trainer.step(
    PROMPTS,
    (rollout, draw) => {
      asked.push(draw);
      if (draw === "sampled") return score(rollout);
      rollout.responses.forEach((r, b) => greedy.push(b === 3 ? null : 0.1 * r.length));
      for (const b of [0, 5, 10]) { // the same prompt, the same greedy completion
        assert.deepEqual(rollout.responses[b], rollout.responses[0]);
      }
      return Promise.resolve(greedy);
    },
  );
  assert.deepEqual(asked, ["greedy", "sampled"]);
  scores.forEach((s, b) => {
    assert.equal(scored[b], b !== 3);
    const want = b === 3 ? 0 : s! - greedy[b]!;
    assertClose([advantage[b * T]], [want], `response ${b}`, 1e-6);
  });
  const known = greedy.filter((s) => s !== null);
  const mean = known.reduce((sum, s) => sum + s) / known.length;
  assertClose([metrics["score/greedy_mean"]], [mean], "mean", 1e-6);
  assert.equal(metrics["rewards/null_count"], 1);
});

Deno.test("REINFORCE++-baseline with each reward compared on its own: scales have no say, weights have", async () => {
  const settings = { groupSize: 4, maxNewTokens: 4, rewardAggregation: "normalise-then-sum" };
  const advantagesOf = async (scale: number, weight: number): Promise<Float32Array> => {
    const policy = new TablePolicy(V, (i) => Math.sin(3 * i));
    const trainer = new Trainer(policy, settings, "reinforce++-baseline");
    const { experience } = await trainer.step(promptsOf(trainer), async (rollout) => {
      const one = await score(rollout);
      const two = rollout.responses.map((r) => scale * r[r.length - 1]);
      const total = one.map((of, b) => of + weight * two[b]);
      return { total, scores: { one, two }, weights: { one: 1, two: weight } };
    });
    return experience.advantage;
  };
  const plain = await advantagesOf(1, 1);
  assertClose(await advantagesOf(1000, 1), plain, "scale", 1e-3);
  const far = (await advantagesOf(1, 3)).map((a, i) => Math.abs(a - plain[i]));
  assert.ok(Math.max(...far) > 0.1, `${Math.max(...far)}`);
});

Deno.test("KL that is measured alone is no penalty that a sum of rewards would be needed for", () => {
  const settings = {
    ...{ groupSize: 4, rewardAggregation: "normalise-then-sum", klIn: "reward" },
    ...{ klCoefficient: 0, klMeasured: true },
  };
  const trainer = (more = {}) => new Trainer(new TablePolicy(V), { ...settings, ...more }, "grpo");
  assert.equal(trainer().needs.reference, true);
  const paid = { klCoefficient: 0.1, klMeasured: false };
  assert.throws(() => trainer(paid), /no sum of rewards that KL could be taken off/);
});
