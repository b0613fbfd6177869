/**
 * A fault that a published notebook of GRPO has: its prompts are padded on the left, and the slice of the
 * response starts at the prompt's own length all the same, so that a short prompt's last tokens are learned
 * as if they had been drawn. Advantages of a group add up to 0 and hide it; the KL term does not: its
 * gradient, that of k1, pushes those tokens' log-probabilities down for ever.
 */
import assert from "node:assert/strict";
import { LeftPaddedPolicy } from "../../experiment/faults/left_padding.ts";
import type { Policy } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { TablePolicy } from "./_table_policy.ts";

const V = 8, STEPS = 150;
const PROMPTS = [[1, 2], [3, 4, 5, 6, 2], [5, 1, 3], [1, 4, 6, 3]].map((ids) =>
  Int32Array.from(ids)
);

/** Losses of the run as the notebook has it: one new token, k1 differentiated, sums over sequences. */
async function losses(policy: Policy): Promise<Record<"policy" | "kl" | "total", number>[]> {
  const trainer = new Trainer(policy, {
    ...{ groupSize: 4, maxNewTokens: 1, epochs: 1, totalSteps: STEPS, learningRate: 0.1 },
    ...{ lossNormaliser: "sequence-sums", advantageScale: "population", advantageEpsilon: 1e-5 },
    ...{ klCoefficient: 0.1, klEstimator: "k1", klGradient: "k1" },
  }, "grpo");
  const all = [];
  for (let step = 0; step < STEPS; step++) {
    const { metrics } = await trainer.step(
      { count: PROMPTS.length, take: () => PROMPTS },
      ({ responses }) => Promise.resolve(responses.map((ids) => ids.at(-1)! >= 6 ? 1 : 0)),
    );
    assert.equal(metrics["optimizer/skipped_updates"], 0);
    const [policy, kl, total] = ["policy", "kl", "total"].map((name) => metrics[`loss/${name}`]);
    all.push({ policy, kl, total });
  }
  return all;
}

Deno.test("GRPO with KL over ragged prompts stays near zero, and a shifted slice runs away", async () => {
  const wave = (i: number) => Math.sin(i);
  const ours = await losses(new TablePolicy(V, wave));
  const near = ({ total, kl }: (typeof ours)[number]) => Math.abs(total) < 0.5 && kl > -1;
  assert.ok(ours.every(near), `ours ends at ${JSON.stringify(ours.at(-1))}`);
  const shifted = await losses(new LeftPaddedPolicy(new TablePolicy(V, wave)));
  // The policy loss shows nothing of it; the KL term falls, and falls on.
  for (const { policy } of shifted) assert.ok(Math.abs(policy) < 1e-6, `${policy}`);
  assert.ok(!shifted.slice(STEPS / 3).some(near));
  const [early, middle, late] = [3, 2, 1].map((part) => shifted[Math.floor(STEPS / part) - 1].kl);
  assert.ok(early < -5 && middle < early - 2 && late < middle - 2, `${early}, ${middle}, ${late}`);
});
