import assert from "node:assert/strict";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { currentName, metricTable, orderMetrics, PLAIN_METRICS } from "../../rl/metrics.ts";

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

Deno.test("a run's columns are those of earlier versions, in their order, and later ones among them", () => {
  const before = `objective/kl objective/kl_coef objective/entropy ppo/mean_non_score_reward
    ppo/mean_scores ppo/std_scores ppo/learning_rate ppo/loss/policy ppo/loss/value ppo/loss/total
    ppo/policy/entropy ppo/policy/approxkl ppo/policy/policykl ppo/policy/clipfrac
    ppo/policy/advantages_mean ppo/policy/ratio ppo/policy/ratio_min ppo/policy/ratio_max
    ppo/returns/mean ppo/returns/var ppo/val/vpred ppo/val/error ppo/val/clipfrac ppo/val/mean
    ppo/val/var ppo/val/var_explained ppo/grad_norm ppo/epochs ppo/skipped_updates
    sampling/logp_difference_max rewards/judged_count rewards/null_count tokens/queries_len_mean
    tokens/queries_len_std tokens/responses_len_mean tokens/responses_len_std
    tokens/finished_share`.split(/\s+/);
  const later = ["entropy/coefficient", "value/learning_rate"];
  const all = ppo.metrics.filter(({ name }) => !later.includes(name));
  assert.equal(all.length, ppo.metrics.length - later.length);
  assert.deepEqual(all.map(({ name, alias }) => alias || name), before);
  const now = before.map((column) => currentName(column, ppo.metrics));
  assert.deepEqual(now, all.map(({ name }) => name));
});

Deno.test("orderMetrics() orders by the table, and names what is missing or unknown", () => {
  const names = ppo.metrics.map((row) => row.name);
  const values = Object.fromEntries([...names].reverse().map((name, i) => [name, i]));
  assert.deepEqual(Object.keys(orderMetrics(ppo.metrics, values)), names);
  assert.throws(() => orderMetrics(ppo.metrics, { ...values, "loss/luck": 1 }), {
    name: "TypeError",
    message: 'Cannot report a step as "loss/luck" is not in the table of metrics',
  });
  const { "kl/reference": _, ...rest } = values;
  assert.throws(() => orderMetrics(ppo.metrics, rest), {
    name: "TypeError",
    message: 'Cannot report a step as "kl/reference" is missing',
  });
  // What the trainer measures of any algorithm may be left out of a table.
  const few = metricTable(["score/std", "score/mean"]);
  const shared = { "score/mean": 1, "score/std": 2, "policy/ratio": 3 };
  assert.deepEqual(Object.entries(orderMetrics(few, shared)), [["score/std", 2], [
    "score/mean",
    1,
  ]]);
});

Deno.test("metricTable() takes common names and rows of its own, each once", () => {
  const own = ["loss/luck", "", "any", "any", "luck", "none", ""] as const;
  assert.deepEqual(metricTable(["score/mean", own]).map(({ name }) => name), [
    "score/mean",
    "loss/luck",
  ]);
  assert.throws(() => metricTable(["score/mean", "loss/luck"]), {
    name: "TypeError",
    message: 'Cannot list the metric "loss/luck" as no common one is named so',
  });
  for (const rows of [["score/mean", own, own], [...PLAIN_METRICS, own, "score/mean"]]) {
    assert.throws(() => metricTable(rows), /^TypeError: Cannot list the metric ".*" twice$/);
  }
  const plain = metricTable(PLAIN_METRICS).map(({ name }) => name);
  assert.ok(plain.includes("score/mean") && plain.includes("policy/ratio_max"));
  assert.ok(!plain.some((name) => /^(kl|value|returns)\//.test(name)));
});

Deno.test("currentName() reads the columns of earlier runs", () => {
  assert.equal(currentName("ppo/policy/clipfrac", ppo.metrics), "policy/clipfrac");
  assert.equal(currentName("rewards/judged_count", ppo.metrics), "rewards/scored_count");
  assert.equal(currentName("rewards/exact/mean", ppo.metrics), "rewards/exact/mean");
  for (const name of ["score/mean", "step", "ppo/luck", ""]) {
    assert.equal(currentName(name, ppo.metrics), name);
  }
});
