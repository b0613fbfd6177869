import assert from "node:assert/strict";
import { orderMetrics, PPO_METRICS } from "../../rl/metrics.ts";

Deno.test("the table has every name of TRL 0.11 for which we have the quantity", () => {
  const names = PPO_METRICS.map((row) => row.name);
  const list = `objective/kl objective/kl_coef objective/entropy ppo/mean_non_score_reward
    ppo/mean_scores ppo/std_scores ppo/learning_rate ppo/loss/policy ppo/loss/value ppo/loss/total
    ppo/policy/entropy ppo/policy/approxkl ppo/policy/policykl ppo/policy/clipfrac
    ppo/policy/advantages_mean ppo/policy/ratio ppo/returns/mean ppo/returns/var ppo/val/vpred
    ppo/val/error ppo/val/clipfrac ppo/val/mean ppo/val/var ppo/val/var_explained
    tokens/queries_len_mean tokens/queries_len_std tokens/responses_len_mean
    tokens/responses_len_std`.split(/\s+/);
  for (const name of list) assert.ok(names.includes(name), name);
  assert.equal(new Set(names).size, names.length);
  for (const row of PPO_METRICS) assert.ok(row.meaning && row.healthy && row.range, row.name);
});

Deno.test("orderMetrics() orders by the table, and names what is missing or unknown", () => {
  const names = PPO_METRICS.map((row) => row.name);
  const values = Object.fromEntries([...names].reverse().map((name, i) => [name, i]));
  assert.deepEqual(Object.keys(orderMetrics(values)), names);
  assert.throws(() => orderMetrics({ ...values, "ppo/luck": 1 }), {
    name: "TypeError",
    message: 'Cannot report a step as "ppo/luck" is not in the table of metrics',
  });
  const { "objective/kl": _, ...rest } = values;
  assert.throws(() => orderMetrics(rest), {
    name: "TypeError",
    message: 'Cannot report a step as "objective/kl" is missing',
  });
});
