import assert from "node:assert/strict";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { currentName, metricTable, orderMetrics } from "../../rl/metrics.ts";

Deno.test("PPO's table has every quantity of TRL 0.11 that we have, under TRL's name too", () => {
  const aliases = ppo.metrics.map(({ name, alias }) => alias || name);
  const list = `objective/kl objective/kl_coef objective/entropy ppo/mean_non_score_reward
    ppo/mean_scores ppo/std_scores ppo/learning_rate ppo/loss/policy ppo/loss/value ppo/loss/total
    ppo/policy/entropy ppo/policy/approxkl ppo/policy/policykl ppo/policy/clipfrac
    ppo/policy/advantages_mean ppo/policy/ratio ppo/returns/mean ppo/returns/var ppo/val/vpred
    ppo/val/error ppo/val/clipfrac ppo/val/mean ppo/val/var ppo/val/var_explained
    tokens/queries_len_mean tokens/queries_len_std tokens/responses_len_mean
    tokens/responses_len_std`.split(/\s+/);
  for (const name of list) assert.ok(aliases.includes(name), name);
});

Deno.test("every algorithm's metrics are named once, without an algorithm's name, and explained", () => {
  for (const { name: algorithm, metrics } of listAlgorithms()) {
    const names = metrics.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, algorithm);
    for (const row of metrics) {
      assert.match(row.name, /^[a-z]+\/[a-z_]+$/);
      assert.ok(row.meaning && row.healthy && row.range && row.remedy, row.name);
      assert.ok(!row.name.includes(algorithm), row.name);
    }
  }
});

Deno.test("orderMetrics() orders by the table, names what is missing and leaves out the rest", () => {
  const names = ppo.metrics.map((row) => row.name);
  const values = Object.fromEntries([...names].reverse().map((name, i) => [name, i]));
  const ordered = orderMetrics(ppo.metrics, { ...values, "policy/luck": 1 });
  assert.deepEqual(Object.keys(ordered), names);
  assert.equal(ordered["kl/reference"], names.length - 1);
  const { "kl/reference": _, ...rest } = values;
  assert.throws(() => orderMetrics(ppo.metrics, rest), {
    name: "TypeError",
    message: 'Cannot report a step as "kl/reference" is missing',
  });
});

Deno.test("metricTable() takes common names and rows of its own, each once", () => {
  const own = ["loss/luck", "", "any", "any", "luck", "none", ""] as const;
  assert.deepEqual(metricTable(["score/mean", own]).map(({ name }) => name), [
    "score/mean",
    "loss/luck",
  ]);
  assert.throws(() => metricTable(["score/meen"]), /no common one is named so/);
  assert.throws(() => metricTable(["score/mean", own, own]), /"loss\/luck" twice/);
});

Deno.test("currentName() reads the columns of earlier runs", () => {
  assert.equal(currentName("ppo/policy/clipfrac", ppo.metrics), "policy/clipfrac");
  assert.equal(currentName("rewards/judged_count", ppo.metrics), "rewards/scored_count");
  assert.equal(currentName("rewards/exact/mean", ppo.metrics), "rewards/exact/mean");
  assert.equal(currentName("", ppo.metrics), "");
});
