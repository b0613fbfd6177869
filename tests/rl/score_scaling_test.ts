import assert from "node:assert/strict";
import fixture from "../fixtures/trl_scores.json" with { type: "json" };
import { addScores, NO_SCORES, prepareScores, type ScoreConfig } from "../../rl/score_scaling.ts";
import type { Scores } from "../../rl/scores.ts";
import type { Rollout } from "../../rl/policy.ts";
import type { PromptSource } from "../../rl/prompts.ts";
import { Trainer, type TrainerSettings, type TrainerState } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { TablePolicy } from "./_table_policy.ts";

const seenAfter = (...batches: Scores[]) => batches.reduce(addScores, { ...NO_SCORES });
const scaled = (scores: Scores, config: Partial<ScoreConfig>, ...before: Scores[]) => [
  ...prepareScores(scores, { scoreScaling: "off", scoreClip: 0, ...config }, seenAfter(...before)),
];

Deno.test("moments and scaled scores are those of TRL 0.11.4", () => {
  assert.equal(fixture.versions.trl, "0.11.4");
  let seen = { ...NO_SCORES };
  for (const { scores, mean, std, scaled } of fixture.batches) {
    seen = addScores(seen, scores);
    assertClose([seen.mean, Math.sqrt(seen.squares / (seen.count - 1))], [mean, std], "both", 1e-5);
    fixture.cases.forEach(({ use_score_norm, score_clip }, k) => {
      const scoreScaling = use_score_norm ? "running-mean-std" : "running-std";
      const config = { scoreScaling, scoreClip: score_clip ?? 0 } as const;
      assertClose(prepareScores(scores, config, seen), scaled[k], `case ${k}`, 1e-5);
    });
  }
});

Deno.test("by hand: counted, centred, divided, then clamped", () => {
  const first: Scores = [1, null, 3], second: Scores = [8, 4];
  assert.deepEqual(seenAfter(first), { count: 2, mean: 2, squares: 2 });
  // 1, 3, 8 and 4: mean 4, squared differences 9 + 1 + 16 + 0.
  const seen = seenAfter(first, second);
  assert.deepEqual(seen, { count: 4, mean: 4, squares: 26 });
  const std = Math.sqrt(26 / 3) + 2 ** -23;
  const by = (config: Partial<ScoreConfig>) => scaled([8, null, 4], config, first, second);
  assertClose(by({ scoreScaling: "running-std" }), [8 / std, 0, 4 / std], "std", 1e-6);
  assertClose(by({ scoreScaling: "running-mean-std" }), [4 / std, 0, 0], "mean and std", 1e-6);
  const clipped = by({ scoreScaling: "running-mean-std", scoreClip: 1.2 });
  assertClose(clipped, [1.2, 0, 0], "4 / 2.94 is more", 1e-6);
  assertClose(by({ scoreScaling: "running-std", scoreClip: 2 }), [2, 0, 4 / std], "clipped", 1e-6);
  assert.deepEqual(by({ scoreClip: 5 }), [5, 0, 4]);
});

Deno.test("the order and the size of the batches do not matter, a batch without scores is none", () => {
  const all: Scores = [3, -1, 0.5, 9, 2, 2, -40];
  const whole = seenAfter(all);
  for (const cut of [1, 3, 6]) {
    const parts = seenAfter(all.slice(cut), [null, null], all.slice(0, cut), []);
    assert.equal(parts.count, 7);
    assertClose([parts.mean, parts.squares], [whole.mean, whole.squares], `${cut}`, 1e-10);
  }
});

Deno.test("while all scores are equal they are divided by nothing, and less their mean exactly 0", () => {
  for (const value of [0.1, 0.7, 5, -3]) {
    const equal = (n: number): Scores => Array(n).fill(value);
    const before = [equal(3), equal(7), equal(1)];
    assert.equal(seenAfter(...before).squares, 0);
    assert.deepEqual(scaled([value], { scoreScaling: "running-std" }, ...before), [
      Math.fround(value),
    ]);
    assert.deepEqual(scaled([value], { scoreScaling: "running-mean-std" }, ...before), [0]);
    assert.deepEqual(scaled([value], { scoreScaling: "running-mean-std" }, [value]), [0]);
  }
});

Deno.test("spread is seen beside a mean of a million", () => {
  const far: Scores = [1e6, 1e6 + 1, 1e6 + 2];
  const seen = seenAfter(far, far);
  assertClose([seen.mean, seen.squares], [1e6 + 1, 4], "moments", 1e-6);
});

const PROMPTS = Array.from({ length: 6 }, (_, i) => Int32Array.of(1 + i % 4));
const SETTINGS: TrainerSettings = {
  maxNewTokens: 3,
  learningRate: 0.05,
  epochs: 2,
  scoreScaling: "running-mean-std",
};
const GROUPS = { groupSize: 3, maxDraws: 3 };
const SOURCE: PromptSource = {
  count: 6,
  take: (from, count) => Array.from({ length: count }, (_, i) => PROMPTS[(from + i) % 6]),
};
const lengths = ({ responses }: Rollout) =>
  Promise.resolve(responses.map((r, b) => b === 4 ? null : 10 * r.length + r[0]));
const make = (algorithm: string, more: object = {}) => {
  const policy = new TablePolicy(5, (i) => Math.sin(i));
  const settings: TrainerSettings = { ...SETTINGS, ...more };
  return { policy, trainer: new Trainer(policy, settings, algorithm) };
};

Deno.test("each step's scores are seen before they are scaled, those of a skipped update too", async () => {
  for (const scoreScaling of ["running-std", "running-mean-std"] as const) {
    const { trainer } = make("ppo", { scoreScaling, scoreClip: 1.5 });
    let seen = { ...NO_SCORES };
    for (let i = 0; i < 3; i++) {
      const given: Scores = i === 1 ? Array(6).fill(null) : [i, 3, -2, null, 9 + i, 4];
      const { experience, scores, metrics } = await trainer.step(
        PROMPTS,
        () => Promise.resolve(given),
      );
      seen = addScores(seen, given);
      assert.deepEqual(scores, given);
      assert.deepEqual(trainer.state().scores, seen);
      const want = prepareScores(given, { scoreScaling, scoreClip: 1.5 }, seen);
      assert.deepEqual(experience.score, want);
      assert.equal(metrics["optimizer/skipped_updates"], i === 1 ? 1 : 0);
      if (i !== 1) {
        const mean = want.reduce((sum, x) => sum + x, 0) / 5;
        assertClose([metrics["score/mean"]], [mean], "mean", 1e-6);
      }
    }
    assert.equal(seen.count, 10);
  }
});

Deno.test("dynamic sampling does not clip scores that are yet to be scaled: all lie beyond scoreClip", async () => {
  const { trainer } = make("grpo", { ...GROUPS, dynamicSampling: true, scoreClip: 1 });
  const { metrics } = await trainer.step(SOURCE, lengths);
  assert.ok(metrics["groups/learned"] > 0 && metrics["groups/equal_share"] < 1);
});

Deno.test("greedy completions are scaled alike, and not counted among the scores seen", async () => {
  const { trainer } = make("remax");
  const score = (_: Rollout, draw: string): Promise<Scores> =>
    Promise.resolve(draw === "greedy" ? [100, 0, 0, 0, 0, 0] : [1, 2, 3, 4, 5, 9]);
  const { experience: { greedyScore } } = await trainer.step(PROMPTS, score);
  const seen = seenAfter([1, 2, 3, 4, 5, 9]);
  assert.deepEqual(trainer.state().scores, seen);
  const config = { scoreScaling: "running-mean-std", scoreClip: 0 } as const;
  assert.deepEqual(greedyScore, prepareScores([100, 0, 0, 0, 0, 0], config, seen));
});

Deno.test("a run that is saved and restored goes on bit for bit with the scores that it had seen", async () => {
  for (const [algorithm, more] of [["ppo", {}], ["grpo", GROUPS], ["dapo", GROUPS]] as const) {
    const run = async (stopAfter: number) => {
      let { policy, trainer } = make(algorithm, more);
      const all = [];
      for (let i = 0; i < 5; i++) {
        if (i === stopAfter) {
          const saved = JSON.parse(JSON.stringify([policy.save(), trainer.state()]));
          ({ policy, trainer } = make(algorithm, more));
          policy.load(saved[0]);
          trainer.restore(saved[1]);
        }
        all.push((await trainer.step(SOURCE, lengths)).metrics);
      }
      return { all, state: trainer.state(), weights: policy.save() };
    };
    const whole = await run(-1);
    assert.ok(whole.state.scores!.count >= 5 * 5);
    for (const stopAfter of [1, 3]) assert.deepEqual(await run(stopAfter), whole);
  }
});

Deno.test("a state without the scores seen is refused where they are needed, and dropped where not", () => {
  const { trainer } = make("ppo"), state = trainer.state();
  const what = "Cannot restore the trainer as scoreScaling needs the ";
  const refused: [unknown, string][] = [
    [undefined, "count of the scores seen, a whole number >= 0: it is undefined"],
    [
      { count: 1.5, mean: 0, squares: 0 },
      "count of the scores seen, a whole number >= 0: it is 1.5",
    ],
    [{ count: 2, mean: NaN, squares: 0 }, "mean of the scores seen, a number: it is NaN"],
    [{ count: 2, mean: -1, squares: -1 }, "squares of the scores seen, a number >= 0: it is -1"],
  ];
  for (const [scores, rule] of refused) {
    const saved = { ...state, scores } as TrainerState;
    assert.throws(() => trainer.restore(saved), { name: "TypeError", message: what + rule });
  }
  assert.deepEqual(trainer.state(), state);
  const scores = { count: 2, mean: -1, squares: 4 };
  trainer.restore({ ...state, scores });
  assert.deepEqual(trainer.state().scores, scores);
  const { trainer: plain } = make("ppo", { scoreScaling: "off" });
  assert.ok(!("scores" in plain.state()));
  plain.restore({ ...state, scores });
  assert.ok(!("scores" in plain.state()));
});

Deno.test("a step that fails leaves the scores seen as they were", async () => {
  const { trainer } = make("ppo");
  await trainer.step(PROMPTS, lengths);
  const before = trainer.state();
  await assert.rejects(trainer.step(PROMPTS, () => Promise.reject(new Error("away"))), /away/);
  await assert.rejects(trainer.step(PROMPTS, () => Promise.resolve([1])), RangeError);
  assert.deepEqual(trainer.state(), before);
});

Deno.test("under a scale that grows, the update does not: rewards of any unit give the same run", async () => {
  const run = async (unit: number) => {
    const { policy, trainer } = make("ppo", { klCoefficient: 0 });
    for (let i = 0; i < 3; i++) {
      await trainer.step(PROMPTS, async (of) => (await lengths(of)).map((x) => x && unit * x));
    }
    return policy.logits;
  };
  assertClose(await run(4096), await run(1), "logits", 1e-4);
});
