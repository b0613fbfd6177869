/** Scores that take their time: the policy and its reference are evaluated meanwhile. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { scoreWhile } from "../../rl/overlap.ts";
import type { Evaluation, Rollout, TokenBatch } from "../../rl/policy.ts";
import { timer } from "../../rl/timings.ts";
import { Trainer } from "../../rl/trainer.ts";
import { TablePolicy } from "./_table_policy.ts";

const PROMPTS = Array.from({ length: 8 }, (_, i) => Int32Array.of(1 + i % 4));
const FAST = { maxNewTokens: 3, learningRate: 0.05, epochs: 2, totalSteps: 9 };
const score = ({ responses }: Rollout): number[] => responses.map((r) => r.length + 0.25 * r[0]);
const turns = async (n: number) => {
  for (let i = 0; i < n; i++) await new Promise<void>((done) => setImmediate(done)); // a timer takes 4 ms
};

/** Tells when it is asked; its answers take a few turns of the event loop, as a device's do. */
class Slow extends TablePolicy {
  asked = Promise.withResolvers<void>();
  done: string[] = [];
  fails = false;
  constructor() {
    super(5, (i) => Math.sin(i));
  }
  /** As a network has it: another object after every forward pass. */
  get lastPass(): unknown {
    return this.last;
  }
  override async evaluate(batch: TokenBatch): Promise<Evaluation> {
    this.asked.resolve();
    await turns(3);
    if (this.fails) throw new Error("the device is lost");
    this.done.push("policy");
    return await super.evaluate(batch);
  }
  override async reference(batch: TokenBatch) {
    await turns(3);
    this.done.push("reference");
    return await super.reference(batch);
  }
}

/** Fails where the policy is not asked until long after a turn of the event loop. */
const askedInTime = async (policy: Slow) => {
  let timeout: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timeout = setTimeout(
      () => reject(new Error("nothing is evaluated while scores are awaited")),
      5000,
    );
  });
  await Promise.race([policy.asked.promise, late]).finally(() => clearTimeout(timeout));
};

for (const algorithm of listAlgorithms()) {
  Deno.test(`${algorithm.name} evaluates while scores are awaited, and learns the same`, async () => {
    const groups = "groupSize" in algorithm.options.rows;
    const run = async (microbatchRows: number, waits: boolean) => {
      const policy = new Slow();
      const trainer = new Trainer(policy, {
        ...{ ...FAST, microbatchRows, klCoefficient: 0.1 },
        ...(groups && { groupSize: 4, dynamicSampling: false }),
      }, algorithm);
      const all = [];
      for (let i = 0; i < 2; i++) {
        policy.asked = Promise.withResolvers<void>();
        all.push(
          (await trainer.step(PROMPTS, async (rollout, draw) => {
            if (waits && draw === "sampled") await askedInTime(policy);
            return score(rollout);
          })).metrics,
        );
      }
      return { all, weights: policy.save(), state: trainer.state() };
    };
    const whole = await run(0, false);
    assert.deepEqual(await run(0, true), whole);
    assert.deepEqual(await run(8, true), await run(8, false));
  });
}

Deno.test("a reference too is asked while scores are awaited, before the policy", async () => {
  const policy = new Slow();
  await new Trainer(policy, FAST).step(PROMPTS, async (rollout) => {
    assert.deepEqual(policy.done, []);
    await askedInTime(policy);
    assert.deepEqual(policy.done, ["reference"]);
    return score(rollout);
  });
});

Deno.test("what fails surfaces when both are done, and the trainer stays where it was", async () => {
  const away = new Error("the judge is away"), lost = /the device is lost/;
  for (
    const [late, scoreFails, deviceFails, message] of [
      [false, true, false, /judge/],
      [true, true, false, /judge/],
      [false, false, true, lost],
      [true, false, true, lost],
      [true, true, true, /judge/], // as where one came after the other
    ] as const
  ) {
    const policy = new Slow(), trainer = new Trainer(policy, FAST), before = trainer.state();
    const events: string[] = [];
    policy.fails = deviceFails;
    const failing = trainer.step(PROMPTS, async (rollout) => {
      if (late) await turns(12);
      events.push("scored");
      if (scoreFails) throw away;
      return score(rollout);
    });
    await assert.rejects(failing, message);
    assert.deepEqual(events, ["scored"]);
    assert.deepEqual(policy.done, deviceFails ? ["reference"] : ["reference", "policy"]);
    assert.deepEqual(trainer.state(), before);
    assert.deepEqual([policy.steps, policy.gradients.length], [0, 0]);
    policy.fails = false;
    const fresh = new Slow(), other = new Trainer(fresh, FAST);
    const scored = (rollout: Rollout) => Promise.resolve(score(rollout));
    const { metrics } = await trainer.step(PROMPTS, scored);
    assert.deepEqual(metrics, (await other.step(PROMPTS, scored)).metrics);
    assert.deepEqual(policy.save(), fresh.save());
  }
});

Deno.test("a score function that throws before it gives a promise is an error like any other", async () => {
  const trainer = new Trainer(new Slow(), FAST);
  const throws = () => {
    throw new Error("no such judge");
  };
  await assert.rejects(trainer.step(PROMPTS, throws), /no such judge/);
  assert.equal(trainer.state().step, 0);
});

Deno.test("a score function may ask the policy's own model: its pass is not taken for the rollout's", async () => {
  const run = async (asks: boolean) => {
    const policy = new Slow(), trainer = new Trainer(policy, { ...FAST, epochs: 1 });
    const { metrics } = await trainer.step(PROMPTS, async (rollout) => {
      if (asks) {
        while (!policy.done.includes("policy")) await turns(1);
        await turns(1);
        const prompts = rollout.prompts.map(() => Int32Array.of(4));
        await policy.evaluate({ ...rollout, prompts, temperature: 1 });
      }
      return score(rollout);
    });
    return { weights: policy.save(), metrics, evaluations: policy.evaluations };
  };
  const plain = await run(false), asking = await run(true);
  assert.deepEqual([plain.evaluations, asking.evaluations], [1, 3]); // its own, and the rollout's again
  assert.deepEqual([asking.weights, asking.metrics], [plain.weights, plain.metrics]);
});

Deno.test("with dynamic sampling scores come first, as they decide what is learned from", async () => {
  const policy = new Slow();
  const settings = { ...FAST, groupSize: 2, maxDraws: 2 };
  const source = {
    count: 2,
    take: (from: number, count: number) => PROMPTS.slice(from, from + count),
  };
  let draws = 0;
  const { metrics } = await new Trainer(policy, settings, "dapo").step(source, async (rollout) => {
    await turns(5);
    assert.equal(policy.evaluations, 0);
    return ++draws === 1 ? rollout.responses.map(() => 1) : rollout.responses.map((_, b) => b);
  });
  assert.deepEqual([draws, metrics["groups/evicted"]], [2, 2]);
});

Deno.test("the call and the wait beyond the evaluation are the score's time", async () => {
  const { timed } = timer(), parts: string[] = [];
  const { given, evaluated } = await scoreWhile(
    () => Promise.resolve("scores"),
    () => Promise.resolve("passes"),
    (part, work) => {
      parts.push(part);
      return timed(part, work);
    },
  );
  assert.deepEqual([given, evaluated], ["scores", "passes"]);
  assert.deepEqual(parts, ["score", "evaluate", "score"]);
});
