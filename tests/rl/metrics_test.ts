import assert from "node:assert/strict";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { currentName, metricTable, orderMetrics, PLAIN_METRICS } from "../../rl/metrics.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";

Deno.test("the table has every name of TRL 0.11 for which we have the quantity", () => {
  const names = ppo.metrics.map((row) => row.alias || row.name);
  const list = `objective/kl objective/kl_coef objective/entropy ppo/mean_non_score_reward
    ppo/mean_scores ppo/std_scores ppo/learning_rate ppo/loss/policy ppo/loss/value ppo/loss/total
    ppo/policy/entropy ppo/policy/approxkl ppo/policy/policykl ppo/policy/clipfrac
    ppo/policy/advantages_mean ppo/policy/ratio ppo/returns/mean ppo/returns/var ppo/val/vpred
    ppo/val/error ppo/val/clipfrac ppo/val/mean ppo/val/var ppo/val/var_explained
    tokens/queries_len_mean tokens/queries_len_std tokens/responses_len_mean
    tokens/responses_len_std`.split(/\s+/);
  for (const name of list) assert.ok(names.includes(name), name);
  assert.equal(new Set(names).size, names.length);
});

Deno.test("every metric of every algorithm says what it is, under a name that no algorithm owns", () => {
  const known = new Map<string, unknown>();
  for (const { metrics, name: algorithm } of listAlgorithms()) {
    assert.ok(Object.isFrozen(metrics));
    for (const row of metrics) {
      assert.ok(row.meaning && row.healthy && row.range, row.name);
      assert.ok(Object.isFrozen(row), row.name);
      assert.ok(!row.name.startsWith(`${algorithm}/`), row.name);
      // One glossary serves all: a name never means two things.
      const before = known.get(row.alias || row.name) ?? row.name;
      assert.equal(before, row.name);
      known.set(row.alias || row.name, row.name);
    }
  }
});

Deno.test("a run's columns are those of earlier versions, in their order", () => {
  const before = `objective/kl objective/kl_coef objective/entropy ppo/mean_non_score_reward
    ppo/mean_scores ppo/std_scores ppo/learning_rate ppo/loss/policy ppo/loss/value ppo/loss/total
    ppo/policy/entropy ppo/policy/approxkl ppo/policy/policykl ppo/policy/clipfrac
    ppo/policy/advantages_mean ppo/policy/ratio ppo/policy/ratio_min ppo/policy/ratio_max
    ppo/returns/mean ppo/returns/var ppo/val/vpred ppo/val/error ppo/val/clipfrac ppo/val/mean
    ppo/val/var ppo/val/var_explained ppo/grad_norm ppo/epochs ppo/skipped_updates
    sampling/logp_difference_max rewards/judged_count rewards/null_count tokens/queries_len_mean
    tokens/queries_len_std tokens/responses_len_mean tokens/responses_len_std
    tokens/finished_share`.split(/\s+/);
  assert.deepEqual(ppo.metrics.map(({ name, alias }) => alias || name), before);
  const now = before.map((column) => currentName(column, ppo.metrics));
  assert.deepEqual(now, ppo.metrics.map(({ name }) => name));
});

Deno.test("currentName() leaves today's names and unknown ones as they are", () => {
  assert.equal(currentName("ppo/mean_scores", ppo.metrics), "score/mean");
  assert.equal(currentName("objective/kl", ppo.metrics), "kl/reference");
  for (const name of ["score/mean", "step", "rewards/exact/mean", "", "ppo/luck"]) {
    assert.equal(currentName(name, ppo.metrics), name);
  }
});

Deno.test("metricTable() refuses a name that is not common, and one that comes twice", () => {
  const own = ["loss/luck", "", "any", "near 0", "luck, mean over tokens", ""] as const;
  const table = metricTable(["score/mean", own]);
  assert.deepEqual(table.map(({ name }) => name), ["score/mean", "loss/luck"]);
  assert.equal(table[1].meaning, "luck, mean over tokens");
  assert.throws(() => metricTable(["score/mean", "loss/luck"]), {
    name: "TypeError",
    message: 'Cannot list the metric "loss/luck" as no common one is named so',
  });
  assert.throws(() => metricTable([...PLAIN_METRICS, "score/mean"]), {
    name: "TypeError",
    message: 'Cannot list the metric "score/mean" twice',
  });
  const names = metricTable(PLAIN_METRICS).map(({ name }) => name);
  assert.ok(
    names.includes("score/mean") && !names.some((name) => /^(kl|value|returns)\//.test(name)),
  );
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
