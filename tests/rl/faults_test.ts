/** What a trainer does when something goes wrong: it skips the update, counts it, and says so. */
import assert from "node:assert/strict";
import type { Evaluation, EvaluationGradient, Rollout, TokenBatch } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { TablePolicy } from "./_table_policy.ts";

const PROMPTS = Array.from({ length: 8 }, (_, i) => Int32Array.of(1 + i % 3));
const FAST = { learningRate: 0.05, maxNewTokens: 3 };
const lengths = ({ responses }: Rollout) => Promise.resolve(responses.map((r) => r.length));

/** Breaks one number where told. */
class Broken extends TablePolicy {
  /** 0 is the pass over the rollout. */
  breakAt?: { evaluation: number; name: keyof Evaluation; value: number };
  breakReference = false;
  breakGradient = false;
  breakSampled?: number;
  constructor() {
    super(4, (i) => Math.cos(i));
  }
  override async generate(...given: Parameters<TablePolicy["generate"]>): Promise<Rollout> {
    const rollout = await super.generate(...given);
    if (this.breakSampled !== undefined) rollout.logprobs[2][0] = this.breakSampled;
    return rollout;
  }
  override async evaluate(batch: TokenBatch): Promise<Evaluation> {
    const out = await super.evaluate(batch), at = this.breakAt;
    if (at && this.evaluations - 1 === at.evaluation) out[at.name]![0] = at.value;
    return out;
  }
  override async reference(batch: TokenBatch): Promise<{ logprob: Float32Array }> {
    const out = await super.reference(batch);
    if (this.breakReference) out.logprob[0] = -Infinity;
    return out;
  }
  override backward(gradient: EvaluationGradient): void {
    super.backward(gradient);
    if (this.breakGradient) this.dlogits[0] = NaN;
  }
}

async function assertSkipped(policy: Broken, steps = 0, score = lengths, settings = {}) {
  const trainer = new Trainer(policy, { ...FAST, ...settings });
  const { metrics } = await trainer.step(PROMPTS, score);
  assert.equal(metrics["optimizer/skipped_updates"], 1);
  assert.equal(policy.steps, steps);
  assert.ok([...policy.dlogits, ...policy.dvalues].every((g) => g === 0));
  const given = policy.gradients.flatMap((g) => [...g.dlogprob, ...g.dentropy!, ...g.dvalue!]);
  assert.ok(given.every(Number.isFinite), "no gradient that is not finite reaches the policy");
  assert.deepEqual(trainer.state(), { step: 1, faults: 1, algorithm: { klCoefficient: 0.2 } });
}

Deno.test("a log-probability or a value that is not finite skips the update", async () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const name of ["logprob", "entropy", "value"] as const) {
      const policy = new Broken();
      policy.breakAt = { evaluation: 0, name, value: bad };
      await assertSkipped(policy);
    }
  }
  const above = new Broken(); // a log-probability is at most 0
  above.breakAt = { evaluation: 0, name: "logprob", value: 1e30 };
  await assertSkipped(above);
  const policy = new Broken();
  policy.breakReference = true;
  await assertSkipped(policy);
  for (const bad of [NaN, -Infinity, 0.5]) { // the sampler's own, which the loss does not read
    const sampler = new Broken();
    sampler.breakSampled = bad;
    await assertSkipped(sampler);
  }
});

Deno.test("a number outside the mask may be anything: it is no fault", async () => {
  const policy = new Broken(), trainer = new Trainer(policy, FAST);
  policy.breakAt = { evaluation: 0, name: "logprob", value: NaN };
  const score = () => Promise.resolve([null, 1, 2, 1, 1, 1, 1, 3]); // it lies in row 0
  const { metrics } = await trainer.step(PROMPTS, score);
  assert.equal(metrics["optimizer/skipped_updates"], 0);
});

Deno.test("a loss that is not finite in a later pass undoes its minibatch, not the ones before", async () => {
  for (const name of ["logprob", "entropy", "value"] as const) {
    for (const value of [NaN, -Infinity]) {
      const policy = new Broken();
      policy.breakAt = { evaluation: 2, name, value };
      await assertSkipped(policy, 2);
    }
  }
  // Two passes over the rollout, then two pieces a minibatch: the second piece of the second epoch.
  const policy = new Broken();
  policy.breakAt = { evaluation: 5, name: "logprob", value: NaN };
  await assertSkipped(policy, 1, lengths, { microbatchRows: 4 });
});

Deno.test("a gradient norm that is not finite skips the update", async () => {
  const policy = new Broken();
  policy.breakGradient = true;
  await assertSkipped(policy);
});

Deno.test("a step in which nothing could be scored teaches nothing", async () => {
  const none = () => Promise.resolve(new Array<null>(8).fill(null));
  const policy = new Broken(), trainer = new Trainer(policy, FAST);
  const { metrics } = await trainer.step(PROMPTS, none);
  assert.equal(metrics["rewards/null_count"], 8);
  assert.equal(metrics["optimizer/skipped_updates"], 1);
  assert.equal(metrics["loss/policy"], NaN);
  assert.equal(metrics["optimizer/epochs"], 0);
  assert.equal(policy.steps, 0);
});

Deno.test("the third skipped update in a row ends training with its reason", async () => {
  const none = () => Promise.resolve(new Array<null>(8).fill(null));
  const trainer = new Trainer(new Broken(), FAST);
  await trainer.step(PROMPTS, none);
  await trainer.step(PROMPTS, none);
  await trainer.step(PROMPTS, lengths); // a good one starts the count again
  await trainer.step(PROMPTS, none);
  await trainer.step(PROMPTS, none);
  const before = trainer.state();
  await assert.rejects(trainer.step(PROMPTS, none), {
    name: "Error",
    message:
      "Cannot continue training as 3 updates in a row had to be skipped: no response had a score; " +
      "fix the reward, and resume from the last checkpoint",
  });
  assert.deepEqual(trainer.state(), before);
});

Deno.test("the reason names the number, the response and what it was", async () => {
  for (const name of ["logprob", "entropy", "value"] as const) {
    const policy = new Broken(), trainer = new Trainer(policy, FAST);
    trainer.restore({ step: 0, faults: 2, algorithm: { klCoefficient: 0.2 } });
    policy.breakAt = { evaluation: 0, name, value: -Infinity };
    const reason = new RegExp(`skipped: ${name} of response 0 is -Infinity;`);
    await assert.rejects(trainer.step(PROMPTS, lengths), {
      name: "DivergedError",
      message: reason,
    });
  }
});

Deno.test("a piece with no scored row is not evaluated again", async () => {
  const policy = new Broken(), settings = { ...FAST, epochs: 3, microbatchRows: 2 };
  const score = () => Promise.resolve([null, null, 1, 2, 3, null, 1, 1]);
  await new Trainer(policy, settings).step(PROMPTS, score);
  assert.equal(policy.evaluations, 4 + 3 * 3);
});

Deno.test("a minibatch with no scored row takes no optimiser step and is no fault", async () => {
  const policy = new Broken();
  const trainer = new Trainer(policy, { ...FAST, epochs: 3, minibatches: 8 });
  const score = () => Promise.resolve([null, 1, 2, 1, null, 1, 2, 3]);
  const { metrics } = await trainer.step(PROMPTS, score);
  assert.equal(policy.steps, 3 * 6);
  assert.equal(metrics["optimizer/skipped_updates"], 0);
  assert.equal(metrics["optimizer/epochs"], 3);
});

Deno.test("a score function that throws leaves the trainer where it was", async () => {
  const policy = new Broken(), trainer = new Trainer(policy, FAST), before = trainer.state();
  const boom = () => Promise.reject(new Error("the judge is away"));
  await assert.rejects(trainer.step(PROMPTS, boom), /the judge is away/);
  assert.deepEqual(trainer.state(), before);
  assert.equal(policy.steps, 0);
});

Deno.test("scores that are none are refused by name, and the trainer stays where it was", async () => {
  const array = "Cannot learn from a rollout as its score function must give an array, one score " +
    "for each of 8 responses, or { total, scores, weights } of several rewards: it gave ";
  const of = (score: unknown) => [1, 2, score, 4, 5, 6, 7, 8];
  const kind = 'Cannot learn from response 2 as its score must be a number, or null for "cannot ' +
    'score": it is ';
  const finite =
    "Cannot learn from response 2 as its score must be finite in 32 bits, or null for " +
    '"cannot score": it is ';
  const refused: [unknown, string, string][] = [
    [undefined, "TypeError", `${array}undefined`],
    [null, "TypeError", `${array}null`],
    [7, "TypeError", `${array}7`],
    ["12345678", "TypeError", `${array}"12345678"`],
    [of("3"), "TypeError", `${kind}"3"`],
    [of(undefined), "TypeError", `${kind}undefined`],
    [of(true), "TypeError", `${kind}true`],
    [Array(8), "TypeError", `${kind.replace("2", "0")}undefined`],
    [of(NaN), "RangeError", `${finite}NaN`],
    [of(-Infinity), "RangeError", `${finite}-Infinity`],
    [of(1e39), "RangeError", `${finite}1e+39`],
    [
      [1, 2],
      "RangeError",
      "Cannot learn from a rollout as each of its 8 responses needs one score: there are 2",
    ],
  ];
  for (const [scores, name, message] of refused) {
    for (const scoreClip of [0, 5]) {
      const policy = new Broken(), trainer = new Trainer(policy, { ...FAST, scoreClip });
      const before = trainer.state();
      const score = () => Promise.resolve(scores as number[]);
      await assert.rejects(trainer.step(PROMPTS, score), { name, message });
      assert.deepEqual(trainer.state(), before);
      assert.equal(policy.steps, 0);
    }
  }
});

Deno.test("a step beyond the run's end is refused, before anything is drawn", async () => {
  const policy = new Broken(), trainer = new Trainer(policy, { ...FAST, totalSteps: 2 });
  for (let i = 0; i < 2; i++) await trainer.step(PROMPTS, lengths);
  const drawn = policy.evaluations;
  await assert.rejects(trainer.step(PROMPTS, lengths), {
    name: "RangeError",
    message: "Cannot take step 3 as the run, and with it every schedule, ends with step 2: " +
      "give a larger totalSteps",
  });
  assert.equal(policy.evaluations, drawn);
  const longer = new Trainer(policy, { ...FAST, totalSteps: 3 });
  longer.restore(trainer.state());
  await longer.step(PROMPTS, lengths);
});

Deno.test("fewer prompts than minibatches are refused", async () => {
  await assert.rejects(
    new Trainer(new Broken(), { minibatches: 9 }).step(PROMPTS, lengths),
    {
      name: "RangeError",
      message:
        "Cannot split a rollout as it needs at least one prompt for each of 9 minibatches: it has 8",
    },
  );
});

Deno.test("a policy whose arrays have the wrong size is refused by name", async () => {
  class Short extends Broken {
    override async evaluate(batch: TokenBatch): Promise<Evaluation> {
      const out = await super.evaluate(batch);
      return { ...out, value: out.value!.slice(1) };
    }
  }
  await assert.rejects(
    new Trainer(new Short(), { ...FAST, maxNewTokens: 1 }).step(PROMPTS, lengths),
    {
      name: "RangeError",
      message: "Cannot use the policy's value as it must be (8, 1), 8 numbers: it has 7",
    },
  );
  class Silent extends Broken {
    override async generate(...args: Parameters<TablePolicy["generate"]>): Promise<Rollout> {
      const rollout = await super.generate(...args);
      rollout.responses[3] = new Int32Array(0);
      return rollout;
    }
  }
  await assert.rejects(new Trainer(new Silent(), FAST).step(PROMPTS, lengths), {
    name: "RangeError",
    message: "Cannot learn from response 3 as it needs at least 1 token: it has 0",
  });
});
