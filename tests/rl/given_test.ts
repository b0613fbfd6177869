import assert from "node:assert/strict";
import type { GivenCompletions } from "../../rl/given.ts";
import type { Scores } from "../../rl/scores.ts";
import { Trainer } from "../../rl/trainer.ts";
import { TablePolicy } from "./_table_policy.ts";

const V = 6, wave = (i: number) => Math.sin(3 * i);
const PROMPTS = [1, 2, 3, 4].map((token) => Int32Array.of(token));
const RUN = { totalSteps: 3, maxNewTokens: 3, learningRate: 0.05, epochs: 2 };
const even = (responses: readonly Int32Array[]) =>
  responses.map((ids) => ids.filter((id) => id % 2 === 0).length / ids.length);

for (const [algorithm, own] of [["ppo", {}], ["grpo", { groupSize: 2 }]] as const) {
  Deno.test(`${algorithm}: a step on given completions is the step that drew them, bit for bit`, async () => {
    const policy = new TablePolicy(V, wave), other = new TablePolicy(V, wave);
    const trainer = new Trainer(policy, { ...RUN, ...own }, algorithm);
    const given = new Trainer(other, { ...RUN, ...own }, algorithm);
    for (let step = 0; step < RUN.totalSteps; step++) {
      const drawn = await trainer.step(
        PROMPTS,
        ({ responses }) => Promise.resolve(even(responses)),
      );
      const { prompts, ...completions } = drawn.rollout;
      const got = await given.step(prompts, completions, drawn.scores);
      assert.deepEqual(got.metrics, drawn.metrics);
      assert.deepEqual(other.save(), policy.save());
      assert.deepEqual(given.state(), trainer.state());
    }
  });
}

Deno.test("without the sampler's log-probabilities those of the policy stand for them", async () => {
  const policy = new TablePolicy(V, wave);
  const responses = [Int32Array.of(3, 0), Int32Array.of(4, 4, 4)];
  const trainer = new Trainer(policy, RUN);
  const { metrics, rollout } = await trainer.step(PROMPTS.slice(0, 2), responses, [1, null]);
  assert.equal(metrics["sampling/logp_difference_max"], 0);
  assert.equal(metrics["rewards/null_count"], 1);
  assert.deepEqual(rollout.finished, [true, false]); // three tokens are all that there may be
  assert.equal(metrics["tokens/responses_len_mean"], 2.5);
});

Deno.test("given completions that cannot be learned from are refused by what is wrong", async () => {
  const answers = PROMPTS.map((prompt) => Int32Array.of(prompt[0], 0));
  const refused = (
    algorithm: string,
    [prompts, completions, scores]: [Int32Array[], Int32Array[] | GivenCompletions, Scores],
    pattern: RegExp,
    settings = {},
  ) =>
    assert.rejects(
      async () =>
        await new Trainer(new TablePolicy(V), { ...RUN, ...settings }, algorithm)
          .step(prompts, completions, scores),
      pattern,
    );
  await refused("ppo", [PROMPTS, answers.slice(1), [1, 1, 1]], /4 prompts and 3 completions/);
  await refused("ppo", [[], [], []], /0 prompts and 0 completions/);
  await refused("ppo", [PROMPTS, answers, [1, 2]], /needs one score: there are 2/);
  await refused("ppo", [PROMPTS, answers, undefined as never], /must give an array/);
  const groups = { groupSize: 2 };
  await refused("grpo", [PROMPTS, answers, [1, 0, 1, 0]], /completion 1 is not that of 0/, groups);
  await refused(
    "grpo",
    [PROMPTS.slice(1), answers.slice(1), [1, 0, 1]],
    /groups of groupSize=2: there are 3 completions/,
    groups,
  );
  await refused("remax", [PROMPTS, answers, [1, 0, 1, 0]], /give step\(\) a score function/);
  const twice = PROMPTS.map((_, b) => PROMPTS[b - b % 2]);
  await refused(
    "dapo",
    [twice, answers, [1, 0, 1, 0]],
    /Cannot sample dynamically with dapo/,
    groups,
  );
  const empty = { responses: answers, logprobs: answers.map(() => new Float32Array(0)) };
  await refused("ppo", [PROMPTS, empty, [1, 0, 1, 0]], /row 0 .*, 2: it has 0/);
});
