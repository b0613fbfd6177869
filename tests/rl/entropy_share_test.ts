/** Policy loss of the tokens of largest entropy alone, worked out by hand. @module */
import assert from "node:assert/strict";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { topEntropy } from "../../rl/loss/entropy_share.ts";
import type { Rollout } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { assertClose, assertRelative } from "../_close.ts";
import { TablePolicy } from "./_table_policy.ts";

const all = (n: number) => new Uint8Array(n).fill(1);
const chosen = (entropy: number[], share: number, mask = all(entropy.length)) =>
  topEntropy(mask, Float32Array.from(entropy), share).join("");

Deno.test("topEntropy() takes the linear quantile, and what equals it", () => {
  const H = [0.3, 0.1, 0.5, 0.2, 0.4];
  assert.equal(chosen(H, 0.2), "00100"); // quantile 0.8: place 3.2, 0.42
  assert.equal(chosen(H, 0.25), "00101"); // place 3: 0.4 itself
  assert.equal(chosen(H, 0.5), "10101"); // place 2: 0.3 itself
  assert.equal(chosen(H, 0.6), "10101"); // place 1.6: 0.26
  assert.equal(chosen(H, 1), "11111");
  assert.equal(chosen([0, 0, 0, 1], 0.5), "1111"); // ties: place 1.5 is 0
  assert.equal(chosen([0, 2, 2, 1], 0.2), "0110"); // place 2.4 is 2
  assert.equal(chosen([0.7], 0.01), "1");
  assert.equal(chosen([3, 9, 1, 9], 0.5, Uint8Array.of(1, 0, 1, 0)), "1000");
  assert.equal(chosen([3, 1], 0.5, new Uint8Array(2)), "00");
});

Deno.test("topEntropy() does not lose the entropy that is the quantile to rounding", () => {
  // (1 - share) 10 is 3.0000000000000004 for a share of 0.7.
  for (const tenths of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    const H = Float32Array.from({ length: 11 }, (_, i) => 0.1 * i + 0.05);
    const count = topEntropy(all(11), H, tenths / 10).reduce((sum, x) => sum + x);
    assert.equal(count, tenths + 1, `${tenths}`);
  }
});

const GRID = { B: 2, T: 3, mask: Uint8Array.of(1, 1, 1, 1, 1, 0), length: Int32Array.of(3, 2) };
const ROLLOUT = {
  ...{ grid: GRID, score: Float32Array.of(1, 0), scored: [true, true], columns: [] },
  old: {
    logprob: Float32Array.of(-1, -2, -1, -1, -3, 0),
    entropy: Float32Array.of(0.1, 0.5, 0.2, 0.4, 0.3, 9), // the last one is no token's
  },
  rollout: { finished: [true, false] },
};

/** Advantages and loss of an algorithm for two responses, as a step would have them. */
function learnFrom(name: string, settings: Record<string, unknown>) {
  const algorithm = findAlgorithm(name);
  const { config } = new Trainer(
    new TablePolicy(6),
    { groupSize: 2, advantageScale: "none", klCoefficient: 0.1, klGradient: "k3", ...settings },
    algorithm,
  );
  const context = { config, step: 0, state: { klCoefficient: 0.1 } };
  const made = algorithm.advantages(ROLLOUT as never, context);
  const { old: { logprob: oldLogprob, entropy } } = ROLLOUT;
  const piece = {
    ...{ grid: GRID, oldLogprob, entropy, sampled: oldLogprob, ...made },
    logprob: oldLogprob.map((l, i) => l + [0.1, -0.2, 0.05, 0.1, -0.1, 0][i]),
    reference: oldLogprob.map((l) => l + 0.5),
  };
  const batch = { grid: GRID, rows: [0, 1], finished: ROLLOUT.rollout.finished };
  const weight = algorithm.weights!(batch, context);
  const { gradient, sums } = algorithm.loss(piece, weight, context);
  return { made, gradient, sums, piece };
}

Deno.test("only the chosen tokens have a policy loss; normaliser, KL and entropy keep all", () => {
  const settings = { entropyCoefficient: 0.01, lossNormaliser: "tokens" };
  const whole = learnFrom("grpo", settings),
    some = learnFrom("grpo", { ...settings, entropyShare: 0.4 });
  assert.equal(whole.made.policyWeight, undefined);
  assert.deepEqual([...some.made.policyWeight!], [0, 1, 0, 1, 0, 0]); // place 2.4: 0.34
  const { logprob, oldLogprob, reference } = some.piece;
  const want = [0, 1, 2, 3, 4, 5].map((i) => {
    if (i === 5) return 0;
    const policy = [1, 3].includes(i)
      ? -(i < 3 ? 0.5 : -0.5) * Math.exp(logprob[i] - oldLogprob[i])
      : 0;
    return (policy + 0.1 * (1 - Math.exp(reference[i] - logprob[i]))) / 5; // 5 tokens, not 2
  });
  assertClose(some.gradient.dlogprob, want, "dlogprob", 1e-6);
  assertClose(some.gradient.dentropy!, whole.gradient.dentropy!, "dentropy", 0);
  assert.ok(some.gradient.dentropy!.slice(0, 5).every((g) => g < 0));
  const { "loss/policy": policy, "loss/kl": kl, "loss/entropy": H } = some.sums.weighted;
  assertClose([policy], [(-0.5 * Math.exp(-0.2) + 0.5 * Math.exp(0.1)) / 5], "policy", 1e-6);
  assertClose([kl, H], [whole.sums.weighted["loss/kl"], 1.5 / 5], "kl and entropy", 1e-6);
});

Deno.test("a response's one ratio is of all its tokens, and counts as often as some are chosen", () => {
  const whole = learnFrom("gspo", { klCoefficient: 0 });
  const some = learnFrom("gspo", { klCoefficient: 0, entropyShare: 0.4 }); // one token of each
  const policyOf = ({ sums }: typeof some) => sums.weighted["loss/policy"];
  const s = [-0.05 / 3, 0].map(Math.exp); // of 3 tokens and of 2
  assertClose([policyOf(whole)], [(-0.5 * s[0] + 0.5 * s[1]) / 2], "whole", 1e-6);
  assertClose([policyOf(some)], [(-0.5 * s[0] / 3 + 0.5 * s[1] / 2) / 2], "some", 1e-6);
});

Deno.test("with maskTruncated the share is one of the tokens that are learned from", () => {
  const { made } = learnFrom("grpo", { entropyShare: 0.4, maskTruncated: true });
  assert.deepEqual([...made.policyWeight!], [0, 1, 0, 0, 0, 0]); // place 1.2 of 0.1, 0.2, 0.5: 0.26
});

const V = 6;
const score = ({ prompts, responses }: Rollout) =>
  Promise.resolve(
    responses.map((r, b) => (r[0] === 1 + prompts[b][0] % 5 ? 1 : 0) + 0.1 * r.length),
  );

/** A step of three epochs; gives the policy and what was learned from. */
async function step(name: string, settings: Record<string, unknown>) {
  const policy = new TablePolicy(V, (i) => Math.sin(3 * i));
  const trainer = new Trainer(
    policy,
    { groupSize: 4, learningRate: 0.05, maxNewTokens: 4, epochs: 3, minibatches: 2, ...settings },
    name,
  );
  const prompts = Array.from({ length: 6 }, (_, i) => Int32Array.of(1 + i % 5));
  return { policy, ...await trainer.step(prompts, score) };
}

for (const name of ["grpo", "gspo", "gmpo"]) {
  Deno.test(`${name}: no split into pieces changes which tokens are learned from`, async () => {
    const of = (microbatchRows: number, entropyShare: number) =>
      step(name, { microbatchRows, entropyShare });
    const whole = await of(0, 0.3);
    for (const rows of [1, 5]) {
      assertRelative((await of(rows, 0.3)).policy.logits, whole.policy.logits, `${rows}`, 1e-6);
    }
    const { metrics: { "policy/entropy_share": share }, experience: { grid, policyWeight } } =
      whole;
    const tokens = grid.mask.reduce((sum, x) => sum + x);
    assertClose([share], [policyWeight!.reduce((sum, x) => sum + x) / tokens], "share", 1e-12);
    assert.ok(share >= 0.3 && share < 0.8, `${share}`);
    const all = await of(0, 1);
    assert.equal(all.metrics["policy/entropy_share"], 1);
    assert.notDeepEqual(whole.policy.logits, all.policy.logits);
  });
}

Deno.test("the choice is the rollout's in every epoch", async () => {
  const { policy, experience: { grid, policyWeight, advantage } } = await step("grpo", {
    ...{ entropyShare: 0.3, minibatches: 1, clipLow: 1, clipHigh: 1e6 },
  });
  assert.equal(policy.gradients.length, 3);
  for (const { dlogprob } of policy.gradients) {
    assert.deepEqual(
      Array.from(dlogprob, (g) => g !== 0),
      Array.from(grid.mask, (m, i) => m === 1 && policyWeight![i] === 1 && advantage[i] !== 0),
    );
  }
});

Deno.test("a share of 0 or above 1 is refused", () => {
  for (
    const [entropyShare, rule] of [[0, /entropyShare must be above 0/], [1.1, /at most 1/]] as const
  ) {
    assert.throws(() => new Trainer(new TablePolicy(V), { entropyShare }, "grpo"), rule);
  }
});

Deno.test("the share that is reported is one of the tokens that are learned from", async () => {
  const of = (maskTruncated: boolean) => step("grpo", { entropyShare: 0.3, maskTruncated });
  const { metrics, experience: { grid, policyWeight, rollout: { finished } } } = await of(true);
  const counts = grid.mask.map((m, i) => m && finished[Math.floor(i / grid.T)] ? 1 : 0);
  const sum = (x: Iterable<number>) => [...x].reduce((a, b) => a + b);
  assert.ok(sum(counts) < sum(grid.mask));
  const share = sum(policyWeight!) / sum(counts);
  assertClose([metrics["policy/entropy_share"]], [share], "share", 1e-12);
});
