import assert from "node:assert/strict";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { Rollout } from "../../rl/policy.ts";
import type { ScoreBreakdown } from "../../rl/scores.ts";
import { Trainer } from "../../rl/trainer.ts";
import { TablePolicy } from "./_table_policy.ts";

const PROMPTS = [Int32Array.of(1), Int32Array.of(2)];
const SETTINGS = { groupSize: 2, maxNewTokens: 2, learningRate: 0.01 };
const step = (given: unknown, settings: object = SETTINGS) => {
  const policy = new TablePolicy(5, (i) => Math.sin(i));
  const score = () => Promise.resolve(given as ScoreBreakdown);
  return new Trainer(policy, { ...settings }, "grpo").step(PROMPTS, score);
};

Deno.test("a score function may give several rewards: the sum is learned from, the parts are told", async () => {
  const given: ScoreBreakdown = {
    total: [1, null, 0.5, -1],
    scores: { a: [1, null, 0.5, 0], b: [null, null, 3, 0.25], c: [9, 9, 9, 9] },
    weights: { c: 0, a: 1, b: -4 },
  };
  const { scores, experience, metrics } = await step(given);
  assert.deepEqual(scores, given.total);
  assert.deepEqual([...experience.score], [1, 0, 0.5, -1]);
  assert.equal(metrics["rewards/null_count"], 1);
  assert.deepEqual(experience.columns.map((of) => ({ ...of, score: [...of.score] })), [
    { name: "a", weight: 1, score: [1, 0, 0.5, 0], scored: [true, false, true, true] },
    { name: "b", weight: -4, score: [0, 0, 3, 0.25], scored: [false, false, true, true] },
  ]);
  const plain = await step(given.total);
  assert.deepEqual(plain.metrics, metrics);
  assert.deepEqual(plain.experience.columns.map((of) => ({ ...of, score: [...of.score] })), [
    { name: "score", weight: 1, score: [1, 0, 0.5, -1], scored: [true, false, true, true] },
  ]);
});

Deno.test("a response without a total counts in no reward, whatever single ones gave", async () => {
  const { experience } = await step({
    total: [null, 1, 1, 1],
    scores: { a: [5, 1, 1, null] },
    weights: { a: 1 },
  });
  assert.deepEqual(experience.columns[0].scored, [false, true, true, false]);
  assert.deepEqual(experience.scored, [false, true, true, true]);
});

Deno.test("what is no breakdown is refused by name", async () => {
  const good = { total: [1, 2, 3, 4], scores: { a: [1, 2, 3, 4] }, weights: { a: 1 } };
  const refused: [object, string, string][] = [
    [{ weights: {} }, "TypeError", "a rollout as each reward has a weight: a has none"],
    [
      { weights: { a: 1, b: 1 } },
      "TypeError",
      "a rollout as each weight is that of a reward: b has no scores",
    ],
    [
      { weights: { a: Infinity } },
      "RangeError",
      "a rollout as weights are finite: that of a is Infinity",
    ],
    [{ weights: { a: "1" } }, "RangeError", 'a rollout as weights are finite: that of a is "1"'],
    [
      { weights: { a: 0 } },
      "RangeError",
      "a rollout as a reward must have a weight that is not 0: of 1 none has",
    ],
    [
      { weights: null, scores: null },
      "RangeError",
      "a rollout as a reward must have a weight that is not 0: of 0 none has",
    ],
    [{ total: 7 }, "TypeError", "a rollout as scores are arrays: those by the total are 7"],
    [
      { total: [1, 2, 3] },
      "RangeError",
      "a rollout as each of its 4 responses needs one score by the total: there are 3",
    ],
    [
      { scores: { a: [1, 2, 3, 4, 5] } },
      "RangeError",
      "a rollout as each of its 4 responses needs one score by a: there are 5",
    ],
    [
      { scores: { a: [1, NaN, 3, 4] } },
      "RangeError",
      'response 1 as its score by a must be finite in 32 bits, or null for "cannot score": it is NaN',
    ],
    [
      { total: [1, 2, "3", 4] },
      "TypeError",
      'response 2 as its score by the total must be a number, or null for "cannot score": it is "3"',
    ],
  ];
  for (const [change, name, rule] of refused) {
    const message = `Cannot learn from ${rule}`;
    await assert.rejects(step({ ...good, ...change }), { name, message });
  }
  assert.equal((await step(good)).metrics["rewards/null_count"], 0);
});

Deno.test("KL taken off a sum of rewards is refused where no sum is taken", () => {
  const make = (settings: object, algorithm = "grpo") =>
    new Trainer(
      new TablePolicy(5),
      { rewardAggregation: "normalise-then-sum", ...settings },
      algorithm,
    );
  assert.throws(() => make({}, "rloo"), {
    name: "RangeError",
    message:
      "Cannot train with rloo as rewardAggregation=normalise-then-sum has no sum of rewards " +
      "that KL could be taken off: klIn is reward; set klIn=loss, or klCoefficient=0",
  });
  assert.throws(() => make({ klIn: "reward", klCoefficient: 0.1 }), { name: "RangeError" });
  for (const settings of [{ klCoefficient: 0.1 }, { klIn: "reward", klMeasured: true }]) {
    make(settings);
  }
  make({ klIn: "loss" }, "rloo");
  new Trainer(new TablePolicy(5), {}, "rloo");
});

Deno.test("algorithms with groups learn by rewards compared one by one", async () => {
  const succeeds = ({ prompts, responses }: Rollout): Promise<ScoreBreakdown> => {
    const a = responses.map((r, b) => r[0] === 1 + prompts[b][0] % 4 ? 1 : 0);
    const loud = responses.map((r) => 1000 * r.length); // in a sum hardly anything else is heard
    const total = a.map((of, b) => of + 0.5 * loud[b]);
    return Promise.resolve({ total, scores: { a, loud }, weights: { a: 1, loud: 0.5 } });
  };
  const prompts = Array.from({ length: 8 }, (_, i) => Int32Array.of(1 + i % 4));
  const groups = listAlgorithms().filter(({ options }) => "groupSize" in options.rows);
  assert.ok(groups.length >= 11);
  for (const { name, options } of groups) assert.ok("rewardAggregation" in options.rows, name);
  for (const name of ["grpo", "rloo", "reinforce++-baseline"]) { // others share their advantages
    const right = async (rewardAggregation: string) => {
      const policy = new TablePolicy(5);
      const trainer = new Trainer(policy, {
        ...{ groupSize: 4, maxNewTokens: 3, learningRate: 0.1, epochs: 1, klCoefficient: 0 },
        ...{ rewardAggregation, totalSteps: 40, dynamicSampling: false },
      }, name);
      let last = 0;
      for (let i = 0; i < 40; i++) {
        const { experience: { columns: [{ score }] } } = await trainer.step(prompts, succeeds);
        last = score.reduce((sum, x) => sum + x, 0) / score.length;
      }
      return last;
    };
    const [sum, each] = [await right("sum-then-normalise"), await right("normalise-then-sum")];
    assert.ok(each > 0.4 && each > sum, `${name}: ${each} and ${sum}`);
  }
});
