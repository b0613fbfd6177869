/** What the epochs over a rollout hand to the policy and to the loss. @module */
import assert from "node:assert/strict";
import type {
  Evaluation,
  EvaluationGradient,
  Rollout,
  SamplingOptions,
  StepRates,
  TokenBatch,
} from "../../rl/policy.ts";
import { Trainer, type TrainerSettings, type TrainerStep } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { TablePolicy } from "./_table_policy.ts";

const V = 6;
const FAST = { learningRate: 0.05, maxNewTokens: 3 };
const PROMPTS = Array.from({ length: 30 }, (_, i) => Int32Array.of(1 + i % 5));
const wave = (i: number) => Math.sin(3 * i);
/** The length of each response: a score that differs. */
const lengths = ({ responses }: Rollout) => Promise.resolve(responses.map((r) => r.length));

Deno.test("sampler, training pass and reference all see the temperature", async () => {
  class Watched extends TablePolicy {
    seen: [string, number][] = [];
    override generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
      this.seen.push(["generate", options.temperature]);
      return super.generate(prompts, options);
    }
    override evaluate(batch: TokenBatch): Promise<Evaluation> {
      this.seen.push(["evaluate", batch.temperature]);
      return super.evaluate(batch);
    }
    override reference(batch: TokenBatch): Promise<{ logprob: Float32Array }> {
      this.seen.push(["reference", batch.temperature]);
      return super.reference(batch);
    }
  }
  const policy = new Watched(V, wave);
  const settings = { ...FAST, temperature: 0.7, epochs: 2, microbatchRows: 15 };
  const { metrics } = await new Trainer(policy, settings).step(PROMPTS, lengths);
  const parts = ["generate", ...Array(2).fill("reference"), ...Array(2 + 2 * 2).fill("evaluate")];
  assert.deepEqual(policy.seen, parts.map((part) => [part, 0.7]));
  assert.ok(metrics["sampling/logp_difference_max"] < 1e-6);
});

Deno.test("training at a temperature is training the logits that it divides", async () => {
  const temperature = 0.6;
  /** Adam's step does not depend on the gradient's scale, so that the two stay one factor apart. */
  const run = async (divisor: number, settings: TrainerSettings) => {
    const policy = new TablePolicy(V, (i) => wave(i) / divisor);
    policy.frozen = policy.frozen.map((_, i) => Math.cos(2 * i) / divisor);
    const trainer = new Trainer(policy, {
      ...{ maxNewTokens: 3, epochs: 2, minibatches: 2, microbatchRows: 4, valueCoefficient: 0 },
      ...{ klCoefficient: 0.3, klTarget: 0.5, klHorizon: 50, entropyCoefficient: 0.1 },
      ...settings,
    });
    const steps: TrainerStep[] = [];
    for (let i = 0; i < 4; i++) steps.push(await trainer.step(PROMPTS, lengths));
    return { steps, logits: policy.logits };
  };
  const warm = await run(1, { temperature, learningRate: 0.05 });
  const divided = await run(temperature, { learningRate: 0.05 / temperature });
  const plain = await run(1, { learningRate: 0.05 });
  assertClose(warm.logits.map((z) => z / temperature), divided.logits, "logits", 1e-5);
  for (const [i, { metrics, rollout }] of warm.steps.entries()) {
    const other = divided.steps[i];
    assert.deepEqual(rollout.responses, other.rollout.responses);
    for (const [name, value] of Object.entries(metrics)) {
      if (/learning_rate|grad_norm/.test(name)) continue; // one factor apart as well
      assertClose([value], [other.metrics[name]], `${name} of step ${i}`, 1e-5);
    }
    assert.ok(metrics["sampling/logp_difference_max"] < 1e-6);
    for (const name of ["kl/reference", "policy/entropy", "policy/approxkl"]) {
      assert.ok(Math.abs(metrics[name] - plain.steps[i].metrics[name]) > 1e-4, name);
    }
  }
});

Deno.test("two minibatches are shuffled, one is not", async () => {
  const rowsOf = async (minibatches: number) => {
    const seen: number[][] = [];
    class Watched extends TablePolicy {
      override evaluate(batch: TokenBatch): Promise<Evaluation> {
        seen.push(batch.prompts.map(([row]) => row));
        return super.evaluate(batch);
      }
    }
    const prompts = Array.from({ length: 12 }, (_, row) => Int32Array.of(row, 1));
    await new Trainer(new Watched(V, wave), { ...FAST, epochs: 2, minibatches })
      .step(prompts, lengths);
    return seen.slice(1);
  };
  const inOrder = Array.from({ length: 12 }, (_, row) => row);
  assert.deepEqual(await rowsOf(1), [inOrder]); // the first epoch shares the rollout's pass
  const parts = await rowsOf(2);
  assert.deepEqual(parts.map(({ length }) => length), [6, 6, 6, 6]);
  for (const epoch of [parts.slice(0, 2).flat(), parts.slice(2).flat()]) {
    assert.notDeepEqual(epoch, inOrder);
    assert.deepEqual(epoch.toSorted((a, b) => a - b), inOrder);
  }
});

Deno.test("the entropy's gradient is -coefficient times each token's weight, and moves the policy", async () => {
  const run = async (entropyCoefficient: number) => {
    const policy = new TablePolicy(V, wave);
    const settings = { ...FAST, epochs: 1, klCoefficient: 0, whitenAdvantages: "off" };
    const zero = ({ responses }: Rollout) => Promise.resolve(responses.map(() => 0));
    const { experience } = await new Trainer(policy, { ...settings, entropyCoefficient })
      .step(PROMPTS, zero); // no score, no penalty, no value: entropy alone has a gradient
    const { mask } = experience.grid, tokens = mask.reduce((sum, m) => sum + m, 0);
    const want = Float32Array.from(mask, (m) => m && -entropyCoefficient / tokens);
    assertClose(policy.gradients[0].dentropy!, want, "dentropy", 1e-9);
    return policy.logits;
  };
  const start = new TablePolicy(V, wave).logits;
  const spread = (logits: Float64Array) => logits.reduce((sum, z) => sum + z * z, 0);
  assert.deepEqual(await run(0), start);
  assert.ok(spread(await run(0.5)) < spread(start) - 0.1, "towards equal logits");
});

Deno.test("the weights of each optimiser batch sum to 1, whatever its pieces", async () => {
  class Summed extends TablePolicy {
    /** Sum of dentropy over the optimiser batch in hand, and of those before. */
    sum = 0;
    sums: number[] = [];
    override backward(gradient: EvaluationGradient): void {
      super.backward(gradient);
      this.sum += gradient.dentropy!.reduce((a, b) => a + b);
    }
    override step(rates: StepRates): void {
      super.step(rates);
      this.sums.push(this.sum);
      this.sum = 0;
    }
  }
  for (const microbatchRows of [0, 4]) {
    const policy = new Summed(V, wave);
    const settings = { ...FAST, epochs: 2, minibatches: 3, microbatchRows };
    await new Trainer(policy, { ...settings, entropyCoefficient: 0.5 }).step(PROMPTS, lengths);
    assert.equal(policy.sums.length, 6);
    for (const sum of policy.sums) assert.ok(Math.abs(sum + 0.5) < 1e-6, `${sum}`);
  }
});

Deno.test("pieces of a minibatch keep the completions of a prompt together", async () => {
  class Noting extends TablePolicy {
    asked: number[][] = [];
    override evaluate(...[batch, asked]: Parameters<TablePolicy["evaluate"]>): Promise<Evaluation> {
      this.asked.push(batch.prompts.map(([prompt]) => prompt));
      return super.evaluate(batch, asked);
    }
  }
  const run = async (microbatchRows: number) => {
    const policy = new Noting(9, wave), before = policy.save();
    const settings = { ...FAST, groupSize: 4, minibatches: 2, microbatchRows, epochs: 1 };
    const prompts = Array.from({ length: 8 }, (_, i) => Int32Array.of(i + 1));
    const { metrics } = await new Trainer(policy, settings, "grpo").step(prompts, lengths);
    return { asked: policy.asked.slice(-32 / (microbatchRows || 16)), metrics, policy, before };
  };
  const whole = await run(0), pieces = await run(4);
  const ascending = (all: number[]) => all.every((prompt, i) => i === 0 || all[i - 1] <= prompt);
  assert.deepEqual([pieces.asked.length, whole.asked.length], [8, 2]);
  for (const m of [0, 1]) {
    const minibatch = pieces.asked.slice(4 * m, 4 * m + 4);
    assert.ok(minibatch.every((piece) => piece.length === 4) && ascending(minibatch.flat()));
    assert.ok(!ascending(whole.asked[m])); // one piece is left as it was drawn
    assert.deepEqual(minibatch.flat(), whole.asked[m].toSorted((a, b) => a - b));
  }
  assertClose(pieces.policy.logits, whole.policy.logits, "logits", 1e-6);
  assert.ok(whole.policy.logits.some((z, i) => Math.abs(z - whole.before.logits[i]) > 0.01));
});

Deno.test("ratios are to the training pass's log-probabilities, not to the sampler's", async () => {
  class Off extends TablePolicy {
    override async generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
      const rollout = await super.generate(prompts, options);
      return { ...rollout, logprobs: rollout.logprobs.map((row) => row.map((l) => l - 0.25)) };
    }
  }
  for (const microbatchRows of [0, 7]) {
    const trainer = new Trainer(new Off(V, wave), { ...FAST, epochs: 1, microbatchRows });
    const { metrics } = await trainer.step(PROMPTS, lengths);
    assert.equal(metrics["policy/ratio_min"], 1);
    assert.equal(metrics["policy/ratio_max"], 1);
    assert.ok(Math.abs(metrics["sampling/logp_difference_max"] - 0.25) < 1e-6);
  }
});

Deno.test("extremes of the ratio are those of all optimiser batches", async () => {
  const trainer = new Trainer(new TablePolicy(V, wave), { ...FAST, epochs: 3 });
  const { metrics } = await trainer.step(PROMPTS, lengths);
  assert.ok(metrics["policy/ratio_min"] < 0.99); // 1 in the first epoch
  assert.ok(metrics["policy/ratio_max"] > 1.01);
});

Deno.test("target KL is compared with approxkl, which is above 0 where policykl is below", async () => {
  const ones = ({ responses }: Rollout) => Promise.resolve(responses.map(() => 1));
  const settings = { ...FAST, whitenAdvantages: "off", klCoefficient: 0 };
  const policy = new TablePolicy(V, wave);
  const { metrics } = await new Trainer(policy, { ...settings, targetKl: 1e-4 })
    .step(PROMPTS, ones);
  assert.ok(metrics["policy/policykl"] < 0, "every drawn token became more probable");
  assert.ok(metrics["policy/approxkl"] > 1e-4 / 2);
  assert.equal(metrics["optimizer/epochs"], 1);
  assert.equal(policy.steps, 1);
});

Deno.test("a gradient norm that is not finite takes its own pass back, not the ones before", async () => {
  class Breaks extends TablePolicy {
    passes = 0;
    constructor(readonly at: number) {
      super(V, wave);
    }
    override backward(gradient: EvaluationGradient): void {
      super.backward(gradient);
      if (++this.passes === this.at) this.dlogits[0] = NaN;
    }
  }
  for (const at of [1, 2, 3]) { // the third has no evaluation after it
    const policy = new Breaks(at);
    const { metrics } = await new Trainer(policy, { ...FAST, epochs: 3 }).step(PROMPTS, lengths);
    assert.equal(metrics["optimizer/skipped_updates"], 1);
    assert.equal(metrics["optimizer/epochs"], at - 1);
    assert.equal(policy.steps, at - 1);
  }
});
