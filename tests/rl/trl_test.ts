/** Agreement with TRL 0.11.4's own methods; tests/fixtures/trl_ppo.py writes the numbers. */
import assert from "node:assert/strict";
import { assertRelative } from "../_close.ts";
import { gae, tokenRewards } from "../../rl/gae.ts";
import { adaptKlCoefficient, tokenKl } from "../../rl/kl.ts";
import type { Evaluation, Policy, Rollout, TokenBatch } from "../../rl/policy.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { currentName } from "../../rl/metrics.ts";
import { whiten } from "../../rl/stats.ts";
import { Trainer } from "../../rl/trainer.ts";
import { lossOf, meansOfLoss } from "./_ppo.ts";
import { gridOf, lay } from "./_golden.ts";
import fixture from "../fixtures/trl_ppo.json" with { type: "json" };

type Case = typeof fixture.cases[0];
const settingsOf = ({ settings, metrics }: Case) => {
  const s = settings as Record<string, number | string | boolean>;
  return {
    gamma: Number(s.gamma ?? 1),
    lambda: Number(s.lam ?? 0.95),
    clip: Number(s.cliprange ?? 0.2),
    valueClip: Number(s.cliprange_value ?? 0.2),
    valueCoefficient: Number(s.vf_coef ?? 0.1),
    whitenRewards: Boolean(s.whiten_rewards),
    estimator: s.kl_penalty === "mse" ? "k2" as const : "k1" as const,
    target: Number(s.target ?? 6),
    horizon: Number(s.horizon ?? 10000),
    coefficient: metrics["objective/kl_coef"],
  };
};

Deno.test("rewards, advantages, returns, losses and gradients are those of TRL 0.11.4", () => {
  assert.equal(fixture.versions.trl, "0.11.4");
  for (const each of fixture.cases as Case[]) {
    const s = settingsOf(each), rows = each.arrays;
    const grid = gridOf(each.responses), { mask } = grid;
    const a = (name: keyof typeof rows) => lay(rows[name]); // NaN where there is no token
    const agree = (got: Float32Array, name: keyof typeof rows) =>
      assertRelative(got, lay(rows[name], 0), name, 1e-4);

    const oldLogprob = a("oldLogprob"), oldValue = a("oldValue");
    const kl = tokenKl(mask, {
      logprob: oldLogprob,
      reference: a("reference"),
      estimator: s.estimator,
    });
    agree(kl, "kl");
    const rewards = tokenRewards(grid, { kl, score: each.score, coefficient: s.coefficient });
    agree(rewards.penalty, "nonScore");
    agree(rewards.reward, "reward");
    const reward = s.whitenRewards
      ? whiten(rewards.reward, mask, { variance: "sample", shiftMean: false })
      : rewards.reward;
    const raw = gae(grid, { reward, value: oldValue, gamma: s.gamma, lambda: s.lambda });
    agree(raw.returns, "returns");
    const advantage = whiten(raw.advantage, mask, { variance: "sample", shiftMean: true });
    agree(advantage, "advantage");

    const options = {
      clipLow: s.clip,
      clipHigh: s.clip,
      valueClip: s.valueClip,
      valueCoefficient: s.valueCoefficient,
      entropyCoefficient: 0,
      tokens: mask.reduce((n, m) => n + m, 0),
    };
    const { sums, gradient } = lossOf(mask, {
      oldLogprob,
      oldValue,
      logprob: a("logprob"),
      value: a("value"),
      entropy: a("entropy"),
      advantage,
      returns: raw.returns,
    }, options);
    agree(gradient.dlogprob, "dlogprob");
    agree(gradient.dvalue!, "dvalue");
    const got = meansOfLoss(sums, options);
    const pairs: [number, keyof typeof each.metrics][] = [
      [got["loss/policy"], "ppo/loss/policy"],
      [got["loss/value"], "ppo/loss/value"],
      [got["loss/total"], "ppo/loss/total"],
      [got["policy/clipfrac"], "ppo/policy/clipfrac"],
      [got["value/clipfrac"], "ppo/val/clipfrac"],
      [got["policy/approxkl"], "ppo/policy/approxkl"],
      [got["policy/policykl"], "ppo/policy/policykl"],
      [got["policy/entropy"], "ppo/policy/entropy"],
      [got["value/pred"], "ppo/val/vpred"],
      [got["value/error"], "ppo/val/error"],
    ];
    for (const [number, name] of pairs) assertRelative([number], [each.metrics[name]], name, 1e-4);
  }
});

Deno.test("the adaptive coefficient is that of TRL 0.11.4", () => {
  const { start, target, horizon, updates, after } = fixture.controller;
  let coefficient = start;
  updates.forEach(([kl, episodes], i) => {
    coefficient = adaptKlCoefficient(coefficient, { kl, target, horizon, episodes });
    assertRelative([coefficient], [after[i]], `update ${i}`, 1e-12);
  });
});

/** Plays back one case: the old policy for the rollout, the new one from the next evaluation on. */
class Playback implements Policy {
  #asked = 0;
  constructor(readonly each: Case) {}
  generate(prompts: Int32Array[]): Promise<Rollout> {
    const { responses, arrays } = this.each;
    return Promise.resolve({
      prompts,
      responses: responses.map((r) => Int32Array.from(r)),
      finished: responses.map(() => true),
      logprobs: arrays.oldLogprob.map((row) => Float32Array.from(row)),
    });
  }
  evaluate(_batch: TokenBatch): Promise<Evaluation> {
    const { arrays } = this.each, old = this.#asked++ === 0;
    return Promise.resolve({
      logprob: Float32Array.from(lay(old ? arrays.oldLogprob : arrays.logprob)),
      entropy: Float32Array.from(lay(arrays.entropy)),
      value: Float32Array.from(lay(old ? arrays.oldValue : arrays.value)),
    });
  }
  reference(): Promise<{ logprob: Float32Array }> {
    return Promise.resolve({ logprob: Float32Array.from(lay(this.each.arrays.reference)) });
  }
  backward(): void {}
  step(): void {}
  zeroGradient(): void {}
  gradientNorm(): Promise<number> {
    return Promise.resolve(1);
  }
}

const ours = (name: string) => currentName(name, ppo.metrics);

Deno.test("a trainer step reports the metrics of TRL 0.11.4 and adapts its coefficient alike", async () => {
  for (const each of fixture.cases as Case[]) {
    const s = settingsOf(each);
    // Two epochs: the first sees the old policy, at ratio 1, the second the new one.
    const trainer = new Trainer(new Playback(each), {
      epochs: 2,
      gamma: s.gamma,
      lambda: s.lambda,
      clipLow: s.clip,
      clipHigh: s.clip,
      valueClip: s.valueClip,
      valueCoefficient: s.valueCoefficient,
      whitenRewards: s.whitenRewards,
      klEstimator: s.estimator,
      klCoefficient: s.coefficient,
      klTarget: s.target,
      klHorizon: s.horizon,
    });
    const prompts = each.prompts.map((p) => Int32Array.from(p));
    const { metrics } = await trainer.step(prompts, () => Promise.resolve(each.score));
    const want = each.metrics;
    const same = [
      "objective/kl",
      "objective/kl_coef",
      "objective/entropy",
      "ppo/mean_non_score_reward",
      "ppo/mean_scores",
      "ppo/std_scores",
      "ppo/returns/mean",
      "ppo/returns/var",
      "ppo/val/mean",
      "ppo/val/var",
      "ppo/policy/entropy",
      "tokens/queries_len_mean",
      "tokens/queries_len_std",
      "tokens/responses_len_mean",
      "tokens/responses_len_std",
    ] as const;
    for (const name of same) assertRelative([metrics[ours(name)]], [want[name]], name, 1e-4);
    assert.ok(Math.abs(metrics["advantages/mean"]) < 1e-6);
    // In the first epoch these are 0, so the mean over two epochs is half of TRL's.
    for (const name of ["approxkl", "policykl", "clipfrac"] as const) {
      const full = `ppo/policy/${name}` as const;
      assertRelative([2 * metrics[ours(full)]], [want[full]], full, 1e-4);
    }
    assertRelative(
      [trainer.state().algorithm.klCoefficient],
      [each.coefficientAfter],
      "coefficient",
      1e-6,
    );
  }
});
