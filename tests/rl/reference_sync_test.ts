/** A reference that is moved towards the policy: after which steps, how far, and what is refused. */
import assert from "node:assert/strict";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { Trainer } from "../../rl/trainer.ts";
import { EOS, TablePolicy } from "./_table_policy.ts";

const settings = {
  ...{ totalSteps: 5, maxNewTokens: 4, epochs: 1, learningRate: 0.1, klCoefficient: 0.05 },
  ...{ klControl: "fixed", groupSize: 4 },
};
const prompts = [1, 2, 3, 4].map((token) => Int32Array.of(token));
const score = ({ responses }: { responses: Int32Array[] }) =>
  Promise.resolve(responses.map((ids) => ids[0] === EOS ? 0 : ids[0]));

for (const referenceMix of [0.6, 1]) {
  Deno.test(`after steps 2 and 4 the reference has ${referenceMix} of the policy`, async () => {
    const policy = new TablePolicy(5, (i) => (i % 7) / 7);
    const trainer = new Trainer(policy, { ...settings, referenceSync: 2, referenceMix }, "grpo");
    for (let step = 1; step <= 5; step++) {
      const before = policy.frozen;
      const { metrics } = await trainer.step(prompts, score);
      const isCopy = step === 1 || referenceMix === 1 && [3, 5].includes(step);
      assert.equal(metrics["kl/reference"] === 0, isCopy, `KL at the start of step ${step}`);
      const want = step % 2 === 1
        ? before
        : before.map((old, i) => referenceMix * policy.logits[i] + (1 - referenceMix) * old);
      assert.deepEqual(policy.frozen, want, `after step ${step}`);
      if (step % 2 === 0) assert.notDeepEqual(policy.frozen, before);
    }
  });
}

Deno.test("by default no reference moves, and one that moves does so on the restored step too", async () => {
  const still = new TablePolicy(5), start = still.frozen;
  const trainer = new Trainer(still, settings, "grpo");
  for (let step = 0; step < 5; step++) await trainer.step(prompts, score);
  assert.equal(still.frozen, start);
  const policy = new TablePolicy(5), first = policy.frozen;
  const later = new Trainer(policy, { ...settings, referenceSync: 3 }, "grpo");
  later.restore({ ...trainer.state(), step: 2 });
  await later.step(prompts, score);
  assert.notEqual(policy.frozen, first);
});

Deno.test("a step that throws leaves the reference where it was", async () => {
  const policy = new TablePolicy(5), start = policy.frozen;
  const trainer = new Trainer(policy, { ...settings, referenceSync: 1 }, "grpo");
  await assert.rejects(trainer.step(prompts, () => Promise.reject(new Error("no score"))));
  assert.equal(policy.frozen, start);
});

Deno.test("every algorithm with KL has the setting", () => {
  const asked = { referenceSync: 7, referenceMix: 0.25, klCoefficient: 0.1 };
  for (const algorithm of listAlgorithms()) {
    const { rows } = algorithm.options;
    assert.equal("referenceSync" in rows, "klCoefficient" in rows, algorithm.name);
    if (!("klCoefficient" in rows)) continue;
    const { sync } = algorithm.needs(algorithm.options.resolve(asked as never) as never);
    assert.deepEqual(sync, { every: 7, mix: 0.25 }, algorithm.name);
  }
});

Deno.test("what cannot be synced is refused with the cure", () => {
  const make = (more: object, policy: object = new TablePolicy(5)) =>
    new Trainer(policy as TablePolicy, { ...settings, referenceSync: 4, ...more }, "grpo");
  assert.throws(() => make({ klCoefficient: 0 }), {
    name: "RangeError",
    message:
      "Cannot sync the reference as there must be one: KL costs nothing (klCoefficient is 0) and is not " +
      "measured; set klCoefficient or klMeasured=true, or leave out referenceSync",
  });
  assert.deepEqual(make({ klCoefficient: 0, klMeasured: true }).needs.sync, { every: 4, mix: 0.6 });
  const fixed = Object.assign(new TablePolicy(5), { syncReference: undefined });
  assert.throws(() => make({}, fixed), {
    name: "TypeError",
    message:
      "Cannot train with grpo as its reference moves every 4 steps (referenceSync): that of this policy " +
      "cannot, it has no syncReference; give it a frozen copy in f32 of a model all of whose weights are " +
      "trained, or set referenceSync=0",
  });
  assert.throws(() => make({ referenceMix: 0 }), /referenceMix must be above 0/);
  assert.throws(() => make({ referenceMix: 1.1 }), /referenceMix must be at most 1/);
});
