/** A reference that is asked with the policy, and one that is asked apart. */
import assert from "node:assert/strict";
import type { Evaluation, EvaluationRequest, TokenBatch } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { TablePolicy } from "./_table_policy.ts";

/** Gives the reference's log-probabilities with its own, where it is asked for them. */
class Together extends TablePolicy {
  readonly givesReference = true;
  calls: string[] = [];
  constructor(readonly forwards: boolean) {
    super(5, (i) => Math.sin(i));
  }
  override async evaluate(batch: TokenBatch, asked: EvaluationRequest = {}): Promise<Evaluation> {
    const gives = asked.reference && this.forwards;
    this.calls.push(gives ? "both" : "policy");
    const { logprob: reference } = await super.reference(batch);
    return { ...await super.evaluate(batch, asked), ...(gives && { reference }) };
  }
  override reference(batch: TokenBatch) {
    this.calls.push("reference");
    return super.reference(batch);
  }
}

const prompts = Array.from({ length: 6 }, (_, i) => Int32Array.of(1 + i % 4));
const settings = { maxNewTokens: 3, learningRate: 0.05, totalSteps: 3, microbatchRows: 4 };
const run = async (policy: TablePolicy) => {
  const trainer = new Trainer(policy, { ...settings, epochs: 1, minibatches: 1 });
  const steps = [];
  for (let i = 0; i < 3; i++) {
    const { experience, metrics } = await trainer.step(
      prompts,
      ({ responses }) => Promise.resolve(responses.map((r) => r.length + 0.25 * r[0])),
    );
    steps.push([experience.reference, metrics]);
  }
  return steps;
};

Deno.test("a policy that gives the reference with its own is asked once a piece, and learns the same", async () => {
  const apart = await run(new TablePolicy(5, (i) => Math.sin(i)));
  const together = new Together(true);
  assert.deepEqual(await run(together), apart);
  const step = ["both", "both", "policy", "policy"]; // the rollout, then the update, in pieces of 4 rows
  assert.deepEqual(together.calls, [...step, ...step, ...step]);
  const dropping = new Together(false); // as one that wraps `evaluate` and does not pass on what is asked
  assert.deepEqual(await run(dropping), apart);
  assert.deepEqual(dropping.calls.slice(0, 4), ["policy", "reference", "policy", "reference"]);
});
