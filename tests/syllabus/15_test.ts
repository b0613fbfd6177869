import assert from "node:assert/strict";
import { estimatesAt } from "../../scripts/figures/15.ts";
import {
  LanguagePolicy,
  loadModel,
  loadTokenizer,
  modelFolder,
  openDevice,
  Trainer,
} from "../../mod.ts";
import { claim, SEEDS } from "./_claims.ts";

const page = "15-estimators";

/** KL after eight steps in which every answer is worth nothing. */
async function driftOf(klGradient: string, seed: number): Promise<number> {
  const folder = await modelFolder("tiny"), tokenizer = await loadTokenizer(folder);
  using device = await openDevice();
  using model = await loadModel(device, folder);
  using reference = await loadModel(device, folder, { frozen: true });
  const run = { totalSteps: 8, maxNewTokens: 8, learningRate: 2e-4, klCoefficient: 1 };
  const policy = new LanguagePolicy({ model, reference });
  const trainer = new Trainer(policy, { ...run, seed, klGradient }, "grpo");
  const prompts = ["The sea is", "The sun is", "Grass is"].map((text) => tokenizer.encode(text));
  let kl = NaN;
  for (let step = 0; step < run.totalSteps; step++) {
    const score = (rollout: { responses: unknown[] }) =>
      Promise.resolve(rollout.responses.map(() => 0));
    kl = (await trainer.step(prompts, score)).metrics["kl/reference"];
  }
  return kl;
}

claim({
  page,
  says: "k1 in the loss drives a policy away from its reference that nothing else moves",
  shows: ["k1 0.00 0.06 0.26 0.26 0.49 0.47 0.61 0.65", "1.33 and 1.05"],
  async holds() {
    for (const seed of SEEDS) {
      const [k1, k2, k3] = [
        await driftOf("k1", seed),
        await driftOf("k2", seed),
        await driftOf("k3", seed),
      ];
      console.log(`${page}, seed ${seed}: ${k1}, ${k2}, ${k3}`);
      assert.ok(k1 > 0.3, `k1, seed ${seed}: ${k1}`);
      assert.ok(Math.abs(k2) < 1e-6 && Math.abs(k3) < 1e-6, `seed ${seed}: ${k2}, ${k3}`);
    }
  },
});

claim({
  page,
  says:
    "one value of k1 spreads far more than k3 near the reference, and k2 is too large far from it",
  shows: ["it spreads over 29 times the KL, k3 over 0.7 times"],
  isQuick: true,
  holds() {
    const near = estimatesAt(0.1), far = estimatesAt(3);
    assert.equal(near.kl.toFixed(3), "0.002");
    assert.equal(near.of.k1.deviation.toFixed(0), "29");
    assert.equal(near.of.k3.deviation.toFixed(1), "0.7");
    assert.ok(far.of.k2.mean > 2);
    for (const { of } of [near, far]) {
      for (const unbiased of [of.k1, of.k3]) assert.ok(Math.abs(unbiased.mean - 1) < 1e-9);
    }
  },
});
