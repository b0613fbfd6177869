import assert from "node:assert/strict";
import { assertClose } from "../_close.ts";
import { batchLoss, forwardBackward, optimStep, sample } from "../../rl/loop.ts";
import { alignResponses } from "../../rl/batch.ts";
import { groupAdvantages } from "../../rl/group.ts";
import { clippedLoss } from "../../rl/loss/clipped_ratio.ts";
import { policyGradientLoss } from "../../rl/loss/policy_gradient.ts";
import { perToken } from "../../rl/loss/response.ts";
import { Trainer } from "../../rl/trainer.ts";
import { TablePolicy } from "./_table_policy.ts";

const V = 6, wave = (i: number) => Math.sin(3 * i);
const PROMPTS = Array.from({ length: 5 }, (_, i) => Int32Array.of(1 + i));
const DRAW = { maxNewTokens: 3, temperature: 0.9, seed: 4, stream: 0 };
const CLIP = { clipLow: 0.2, clipHigh: 0.2 };
const evenness = (responses: readonly Int32Array[]) =>
  responses.map((ids) => ids.filter((id) => id % 2 === 0).length / ids.length);

Deno.test("the verbs by hand are a step of the trainer, bit for bit", async () => {
  const groupSize = 4, settings = { groupSize, epochs: 3, learningRate: 0.05, totalSteps: 1 };
  const policy = new TablePolicy(V, wave);
  const trainer = new Trainer(
    policy,
    { ...settings, maxNewTokens: 3, temperature: 0.9, seed: 4 },
    "bnpo",
  );
  const { rollout, metrics } = await trainer.step(
    PROMPTS,
    ({ responses }) => Promise.resolve(evenness(responses)),
  );

  const own = new TablePolicy(V, wave);
  const drawn = await sample(own, PROMPTS, { ...DRAW, groupSize });
  assert.deepEqual(drawn.responses, rollout.responses);
  const scores = evenness(drawn.responses);
  const { advantage } = groupAdvantages(Float32Array.from(scores), scores.map(() => true), {
    groupSize,
    baseline: "mean",
    advantageScale: "sample",
    advantageEpsilon: 1e-4,
  });
  const batch = { ...drawn, advantages: [...advantage], temperature: 0.9 };
  let oldLogprobs: Float32Array[] | undefined;
  const losses: number[] = [], norms: number[] = [];
  for (let epoch = 0; epoch < 3; epoch++) {
    const pass = await forwardBackward(
      own,
      { ...batch, oldLogprobs },
      batchLoss(perToken(clippedLoss), CLIP),
    );
    oldLogprobs ??= pass.logprobs;
    losses.push(pass.loss);
    norms.push((await optimStep(own, { learningRate: 0.05 })).gradientNorm);
  }
  assert.deepEqual(own.save(), policy.save());
  const mean = (x: number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
  assertClose([mean(losses)], [metrics["loss/policy"]], "loss", 1e-12);
  assertClose([mean(norms)], [metrics["optimizer/grad_norm"]], "norm", 1e-12);
});

Deno.test("without old log-probabilities every ratio is 1, and the gradient is -A over the tokens", async () => {
  const policy = new TablePolicy(V, wave);
  const { prompts, responses } = await sample(policy, PROMPTS, DRAW);
  const { metrics } = await forwardBackward(
    policy,
    { prompts, responses, advantages: [1, -2, 3, 0.5, -1] },
    batchLoss(perToken(clippedLoss), CLIP),
  );
  assert.equal(metrics["policy/ratio_min"], 1);
  assert.equal(metrics["policy/ratio_max"], 1);
  const { dlogprob } = policy.gradients[0], { T, mask } = alignResponses(responses);
  const tokens = responses.reduce((n, ids) => n + ids.length, 0);
  assert.deepEqual(
    [...dlogprob],
    [...mask].map((m, i) => m ? Math.fround(-[1, -2, 3, 0.5, -1][Math.floor(i / T)] / tokens) : 0),
  );
});

Deno.test("passes add up: two halves with the weights of the whole are the whole", async () => {
  const whole = new TablePolicy(V, wave), halves = new TablePolicy(V, wave);
  const { prompts, responses } = await sample(whole, PROMPTS, DRAW);
  const advantages = responses.map((ids, b) => Float32Array.from(ids, (id) => id - b));
  const loss = batchLoss(perToken(policyGradientLoss), {});
  const all = await forwardBackward(whole, { prompts, responses, advantages }, loss);
  const tokens = responses.reduce((n, ids) => n + ids.length, 0);
  let sum = 0;
  for (const part of [[0, 2], [2, 5]] as const) {
    const of = <A>(list: A[]): A[] => list.slice(...part);
    const weights = of(responses).map((ids) => Array<number>(ids.length).fill(1 / tokens));
    const batch = {
      prompts: of(prompts),
      responses: of(responses),
      advantages: of(advantages),
      weights,
    };
    sum += (await forwardBackward(halves, batch, loss)).loss;
  }
  assertClose([sum], [all.loss], "loss", 1e-12);
  assertClose([...halves.dlogits], [...whole.dlogits], "gradient", 1e-7);
});

Deno.test("a pass by the negative log-likelihood imitates: it is cross-entropy", async () => {
  const policy = new TablePolicy(V, wave);
  const batch = {
    prompts: [Int32Array.of(1), Int32Array.of(2)],
    responses: [Int32Array.of(3, 0), Int32Array.of(4)],
    advantages: [1, 1],
  };
  const loss = batchLoss(perToken(policyGradientLoss), {});
  const first = await forwardBackward(policy, batch, loss);
  const logprobs = first.logprobs.flatMap((row) => [...row]);
  assertClose([first.loss], [-logprobs.reduce((sum, l) => sum + l, 0) / 3], "NLL", 1e-6);
  for (let step = 0; step < 200; step++) {
    await optimStep(policy, { learningRate: 0.1 });
    await forwardBackward(policy, batch, loss);
  }
  assert.ok((await forwardBackward(policy, batch, loss)).loss < 0.01);
});

Deno.test("an advantage that is not finite is named by its response", async () => {
  const two = [Int32Array.of(1, 2, 3), Int32Array.of(2, 3)];
  const batch = { prompts: two, responses: two, advantages: [1, Infinity] };
  await assert.rejects(
    forwardBackward(new TablePolicy(V, wave), batch, batchLoss(perToken(policyGradientLoss), {})),
    /^RangeError: Cannot learn from a batch as advantages must be finite in 32 bits: response 1 has Infi/,
  );
});

Deno.test("a loss that is not finite adds no gradient, and a norm that is not takes no step", async () => {
  const policy = new TablePolicy(V, wave);
  const batch = { prompts: [Int32Array.of(1)], responses: [Int32Array.of(3)], advantages: [1] };
  const loss = batchLoss(perToken(clippedLoss), { clipLow: NaN, clipHigh: 0.2 });
  await assert.rejects(
    forwardBackward(policy, batch, loss),
    /Cannot learn from a batch as its loss must be finite: it is NaN; no gradient was added/,
  );
  assert.deepEqual(policy.gradients, []);
  const before = policy.save();
  policy.dlogits[0] = Infinity;
  assert.deepEqual(await optimStep(policy, { learningRate: 0.1 }), {
    gradientNorm: Infinity,
    taken: false,
  });
  assert.deepEqual(policy.save(), before);
});

Deno.test("a step has a learning rate for the policy and one for the value head", async () => {
  const policy = new TablePolicy(V, wave);
  await optimStep(policy, { learningRate: 0.1 });
  await optimStep(policy, { learningRate: 0, valueLearningRate: 0.2 });
  assert.deepEqual(policy.rates, [{ policy: 0.1, value: 0.1 }, { policy: 0, value: 0.2 }]);
});

Deno.test("sizes that do not fit are refused by name", async () => {
  const policy = new TablePolicy(V, wave), loss = batchLoss(perToken(policyGradientLoss), {});
  const one = { prompts: [Int32Array.of(1)], responses: [Int32Array.of(3, 0)] };
  const refused = (batch: Parameters<typeof forwardBackward>[1], pattern: RegExp) =>
    assert.rejects(forwardBackward(policy, batch, loss), pattern);
  await refused({ ...one, advantages: [1, 2] }, /one entry a response: there are 1, 1 and 2/);
  await refused(
    { prompts: [], responses: [], advantages: [] },
    /as it needs .*: there is no response/,
  );
  const two = { prompts: PROMPTS.slice(0, 2), responses: [Int32Array.of(3), new Int32Array(0)] };
  await refused({ ...two, advantages: [1, 1] }, /each of them one token: response 1 has 0/);
  await refused({ ...one, advantages: [[1]] }, /row 0 .*one number a response token, 2: it has 1/);
  await refused({ ...one, advantages: [1], weights: [[1]] }, /row 0 .*, 2: it has 1/);
  await refused({ ...one, advantages: [1], oldLogprobs: [[1]] }, /row 0 .*, 2: it has 1/);
  const both = { ...two, responses: [Int32Array.of(3), Int32Array.of(4)], advantages: [1, 1] };
  await refused({ ...both, weights: [[1]] }, /one a response, 2: there are 1/); // not: the other counts 0
  await refused({ ...both, oldLogprobs: [[-1]] }, /one a response, 2: there are 1/);
  await refused({ ...both, oldLogprobs: [[-1], [-1], [-1]] }, /one a response, 2: there are 3/);
  for (const groupSize of [0, 1.5]) {
    assert.throws(
      () => sample(policy, PROMPTS, { ...DRAW, groupSize }),
      /groupSize is the number of completions of a prompt, 1 or more/,
    );
  }
});
