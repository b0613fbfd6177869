/** KL over the whole vocabulary as an algorithm uses it: its value, its gradient, and who is asked for it. */
import assert from "node:assert/strict";
import type { Algorithm } from "../../rl/algorithm.ts";
import { findAlgorithm, listAlgorithms } from "../../rl/algorithms/registry.ts";
import { alignResponses } from "../../rl/batch.ts";
import { tokenKl } from "../../rl/kl.ts";
import { klTerms } from "../../rl/loss/kl_term.ts";
import { meansOf } from "../../rl/loss/sums.ts";
import type { Rollout } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { assertClose, assertRelative } from "../_close.ts";
import { TablePolicy } from "./_table_policy.ts";

const V = 6;
const PROMPTS = Array.from({ length: 6 }, (_, i) => Int32Array.of(1 + i % 5));
const FULL = { klEstimator: "full", klGradient: "full", klCoefficient: 0.3 };
const score = ({ responses }: Rollout) =>
  Promise.resolve(responses.map((r) => (r[0] === 1 ? 1 : 0) + 0.1 * r.length));

/** A policy that has moved from its reference. */
function moved(): TablePolicy {
  const policy = new TablePolicy(V, (i) => Math.sin(3 * i));
  policy.logits.forEach((x, i) => policy.logits[i] = x + 0.7 * Math.cos(i * i));
  return policy;
}

const trainerOf = (
  policy: TablePolicy,
  settings: Record<string, unknown>,
  algorithm: Algorithm = findAlgorithm("grpo"),
) => {
  const groupSize = algorithm.options.names.includes("groupSize" as never) ? { groupSize: 2 } : {};
  return new Trainer(
    policy,
    { ...groupSize, maxNewTokens: 4, learningRate: 0.05, epochs: 1, ...settings },
    algorithm,
  );
};

/** sum p (log p - log q) at each slot, from the tables. */
function exactly(policy: TablePolicy, { prompts, responses }: Rollout): Float64Array {
  const { B, T } = alignResponses(responses), out = new Float64Array(B * T);
  const logSoftmax = (table: Float64Array, from: number) => {
    const z = table.slice(from * V, (from + 1) * V);
    const lse = Math.log(z.reduce((sum, x) => sum + Math.exp(x), 0));
    return z.map((x) => x - lse);
  };
  responses.forEach((response, b) =>
    response.forEach((_, t) => {
      const from = t === 0 ? prompts[b].at(-1)! : response[t - 1];
      const p = logSoftmax(policy.logits, from), q = logSoftmax(policy.frozen, from);
      out[b * T + t] = p.reduce((sum, l, v) => sum + Math.exp(l) * (l - q[v]), 0);
    })
  );
  return out;
}

Deno.test("the full estimator is what the evaluation gave, where the mask is 1", () => {
  const x = { logprob: [-1, -2, -3], reference: [-1, -1, -1], kl: [0.5, 0.25, NaN] };
  const mask = Uint8Array.of(1, 1, 0);
  assert.deepEqual([...tokenKl(mask, { ...x, estimator: "full" })], [0.5, 0.25, 0]);
  assert.deepEqual([...tokenKl(mask, { ...x, estimator: "k1" })], [0, -1, 0]);
});

Deno.test("the unbiased gradient is on average over tokens the full one", () => {
  const p = [0.5, 0.2, 0.3], old = [0.3, 0.3, 0.4], q = [0.1, 0.6, 0.3];
  const KL = p.reduce((sum, x, v) => sum + x * Math.log(x / q[v]), 0);
  const log = (x: number[]) => Float64Array.from(x, Math.log);
  const { gradient } = klTerms(
    { logprob: log(p), oldLogprob: log(old), reference: log(q) },
    { klEstimator: "k3", klGradient: "unbiased" },
  );
  for (let i = 0; i < 3; i++) {
    const byLogit = old.reduce(
      (sum, x, v) => sum + x * gradient[v] * ((v === i ? 1 : 0) - p[i]),
      0,
    );
    assertClose([byLogit], [p[i] * (Math.log(p[i] / q[i]) - KL)], `logit ${i}`, 1e-12);
  }
});

for (const name of ["grpo", "gspo", "reinforce++"]) {
  Deno.test(`${name}: KL's exact value and gradient, on and off policy`, async () => {
    const algorithm = findAlgorithm(name);
    for (const logits of [0, 0.3]) {
      const policy = moved();
      const clips = name === "gspo" ? { clipLow: 0.2, clipHigh: 0.2 } : {}; // far from every ratio here
      const seen: Parameters<Algorithm["loss"]>[] = [], { loss } = algorithm;
      const spy: Algorithm = {
        ...algorithm,
        loss: (...given) => (seen.push(given), loss(...given)),
      };
      const settings = { ...FULL, ...clips, klIn: "loss", learningRate: 0 };
      const { experience, rollout } = await trainerOf(policy, settings, spy).step(PROMPTS, score);
      const want = exactly(policy, rollout);
      assertClose(experience.kl!, want, "kl of the rollout", 1e-6);
      policy.logits.forEach((x, i) => policy.logits[i] = x + logits * Math.sin(i));
      const batch = { ...rollout, temperature: 1 }, [[inputs, weight, context]] = seen;
      const lossNow = async () => {
        const now = await policy.evaluate(batch, { kl: true });
        const { sums, gradient } = loss({ ...inputs, ...now }, weight, context);
        const means = meansOf(sums);
        return { total: algorithm.total(means, context), gradient, means };
      };
      const at = await lossNow(), exact = exactly(policy, rollout);
      const kl = exact.reduce((sum, x, i) => sum + x * weight[i], 0);
      assertClose([at.means["loss/kl"]], [kl], "loss/kl", 1e-6);
      assertClose(
        at.gradient.dkl!,
        weight.map((w) => 0.3 * w),
        "dkl is the coefficient times the normaliser",
        1e-7,
      );
      policy.backward(at.gradient);
      const got = policy.dlogits.slice(), h = 1e-3;
      const slopes = new Float64Array(V * V);
      for (let i = 0; i < V * V; i++) { // evaluations are f32
        const x = policy.logits[i];
        policy.logits[i] = x + h;
        const above = (await lossNow()).total;
        policy.logits[i] = x - h;
        slopes[i] = (above - (await lossNow()).total) / (2 * h);
        policy.logits[i] = x;
      }
      assertRelative(got, slopes, `${name} moved by ${logits}`, 2e-3);
      policy.zeroGradient();
      policy.backward({ dlogprob: new Float32Array(weight.length), dkl: at.gradient.dkl });
      assert.ok(Math.hypot(...policy.dlogits) > 0.05 * Math.hypot(...got), "KL takes part");
    }
  });
}

Deno.test("KL over the vocabulary is asked for where it is read, and nowhere else", async () => {
  const asked = async (settings: Record<string, unknown>, name = "grpo") => {
    const policy = moved(), algorithm = findAlgorithm(name);
    const trainer = trainerOf(policy, { klCoefficient: 0.1, ...settings, epochs: 3 }, algorithm);
    await trainer.step(PROMPTS, score);
    return [trainer.needs.kl, ...policy.klAsked];
  };
  const nowhere = [undefined, false, false, false], everywhere = ["loss", true, true, true];
  const rollout = ["advantages", true, false, false];
  assert.deepEqual(await asked({}), nowhere);
  assert.deepEqual(await asked({ klEstimator: "full" }), everywhere);
  assert.deepEqual(await asked({ klGradient: "full" }), everywhere);
  assert.deepEqual(await asked({ ...FULL, klCoefficient: 0 }), nowhere);
  assert.deepEqual(await asked({ klIn: "reward", klEstimator: "full" }), rollout);
  assert.deepEqual(await asked({ klIn: "reward", klGradient: "full" }), nowhere);
  assert.deepEqual(await asked({ klEstimator: "full" }, "ppo"), rollout);
  assert.deepEqual(await asked({}, "ppo"), nowhere);
  assert.deepEqual(await asked({ klEstimator: "full", klCoefficient: 0 }, "ppo"), nowhere);
});

Deno.test("in the reward, KL over the vocabulary is taken off each token", async () => {
  for (const [name, klIn] of [["ppo", {}], ["rloo", { klIn: "reward" }]] as const) {
    const policy = moved(), settings = { klEstimator: "full", klCoefficient: 0.3, ...klIn };
    const trainer = trainerOf(policy, { ...settings, learningRate: 0 }, findAlgorithm(name));
    const { experience, rollout, metrics } = await trainer.step(PROMPTS, score);
    const want = exactly(policy, rollout);
    assertClose(experience.kl!, want, "kl", 1e-6);
    assertClose(experience.penalty!, want.map((x) => -0.3 * x), "penalty", 1e-6);
    const sum = want.reduce((a, b) => a + b) / rollout.responses.length;
    assertClose([metrics["kl/reference"]], [sum], "kl/reference", 1e-5);
    assert.ok(policy.gradients.every(({ dkl }) => dkl === undefined));
  }
});

Deno.test("pieces of any size give one gradient of KL, and rows without a score none", async () => {
  const run = async (microbatchRows: number, unscored = false) => {
    const policy = moved();
    const settings = { ...FULL, microbatchRows, epochs: 2, minibatches: 2 };
    await trainerOf(policy, settings).step(PROMPTS, async (rollout) => {
      const given: (number | null)[] = await score(rollout);
      return unscored ? given.map((s, b) => b < 4 ? null : s) : given;
    });
    return policy;
  };
  const whole = (await run(0)).logits;
  for (const rows of [1, 5]) {
    assertRelative((await run(rows)).logits, whole, `${rows} rows`, 1e-6);
  }
  for (const { dkl, dlogprob } of (await run(0, true)).gradients) {
    assert.ok(dkl!.some((x) => x !== 0));
    dlogprob.forEach((x, i) => assert.ok(x !== 0 || dkl![i] >= 0));
  }
});

Deno.test("KL's exact gradient holds the policy near its reference", async () => {
  const far = async (klCoefficient: number) => {
    const policy = new TablePolicy(V, (i) => Math.sin(i));
    const trainer = trainerOf(policy, { ...FULL, klCoefficient });
    let kl = 0;
    for (let i = 0; i < 40; i++) {
      kl = (await trainer.step(PROMPTS, score)).metrics["kl/reference"];
    }
    return kl;
  };
  const [free, held] = [await far(1e-6), await far(1)];
  assert.ok(held > 0 && held < free / 4, `${free} ${held}`);
});

Deno.test("every algorithm with a KL term takes klGradient=full", () => {
  for (const algorithm of listAlgorithms()) {
    if (!Object.hasOwn(algorithm.options.rows, "klGradient")) continue;
    const { needs } = trainerOf(moved(), { ...FULL, klIn: "loss" }, algorithm);
    assert.deepEqual([needs.kl, needs.reference], ["loss", true], algorithm.name);
  }
});

Deno.test("a policy that cannot tell whole distributions is refused", async () => {
  class Plain extends TablePolicy {
    override readonly hasKl = false;
  }
  const message =
    "Cannot train with grpo as it compares whole distributions with a reference's: this " +
    "policy has none; give it one, or choose an algorithm or settings (klEstimator=k3) without";
  assert.throws(() => trainerOf(new Plain(V), FULL), { name: "TypeError", message });
  trainerOf(new Plain(V), { klCoefficient: 0.1 });
  class Forgetful extends TablePolicy {
    override evaluate(batch: Parameters<TablePolicy["evaluate"]>[0]) {
      return super.evaluate(batch);
    }
  }
  await assert.rejects(trainerOf(new Forgetful(V), FULL).step(PROMPTS, score), {
    name: "RangeError",
    message: /^Cannot use the policy's kl as it must be/,
  });
});
