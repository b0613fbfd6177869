/** Several rewards against TRL 1.16.0's own numbers, which tests/fixtures/trl_rewards.py writes. */
import assert from "node:assert/strict";
import { combine } from "../../rewards/combine.ts";
import type { Reward } from "../../rewards/reward.ts";
import type { Scores } from "../../rl/scores.ts";
import { meanAndStd } from "../../rl/stats.ts";
import { Trainer } from "../../rl/trainer.ts";
import { assertRelative } from "../_close.ts";
import fixture from "../fixtures/trl_rewards.json" with { type: "json" };
import { TablePolicy } from "./_table_policy.ts";

const REWARDS = Object.entries(fixture.rewards);
const PROMPTS = Array.from({ length: 5 }, (_, i) => Int32Array.of(1 + i));
const AGGREGATIONS: Record<string, string> = {
  sum_then_normalize: "sum-then-normalise",
  normalize_then_sum: "normalise-then-sum",
};
const SCALES: Record<string, string> = { group: "sample", batch: "batch", none: "none" };

Deno.test("advantages of several rewards with nulls are those of TRL 1.16.0", async () => {
  assert.equal(fixture.versions.trl, "1.16.0");
  const reward = combine(REWARDS.map(([name, { weight, scores }]) => {
    const reward: Reward = { name, score: () => Promise.resolve(scores as Scores) };
    return { reward, weight };
  }));
  for (const { arguments: asked, advantages, metrics } of fixture.cases) {
    const trainer = new Trainer(new TablePolicy(6), {
      ...{ groupSize: fixture.groupSize, maxNewTokens: 1 },
      rewardAggregation: AGGREGATIONS[asked.multi_objective_aggregation],
      advantageScale: SCALES[asked.scale_rewards],
    }, "grpo");
    const { experience, metrics: own } = await trainer.step(
      PROMPTS,
      ({ responses }) => {
        const completions = responses.map(() => "");
        return reward.breakdown({
          ...{ completions, prompts: completions, examples: [] },
        });
      },
    );
    const { advantage, grid: { T } } = experience;
    assertRelative(advantage.filter((_, i) => i % T === 0), advantages, asked.scale_rewards, 1e-5);
    assertRelative(
      [own["score/mean"], own["score/std"]],
      [metrics.reward, metrics.reward_std],
      "score",
      1e-5,
    );
    for (const [name, { scores }] of REWARDS) {
      const { mean, std } = meanAndStd((scores as Scores).filter((x) => x !== null));
      const want = metrics as Record<string, number>;
      assertRelative([mean], [want[`rewards/${name}/mean`]], name, 1e-5);
      assertRelative([std], [want[`rewards/${name}/std`]], name, 1e-5);
    }
  }
});
