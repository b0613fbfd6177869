/** Groups that teach nothing are replaced by others; surplus groups are learned from in the next step. */
import assert from "node:assert/strict";
import { dapo } from "../../rl/algorithms/dapo.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { type Drawn, joinDrawn } from "../../rl/drawn.ts";
import { fillBatch, unequalGroups } from "../../rl/dynamic_sampling.ts";
import { readGroups, type SavedGroups, saveGroups } from "../../rl/saved_groups.ts";
import type { Scores } from "../../rl/scores.ts";
import type { Evaluation, Rollout, SamplingOptions, TokenBatch } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { TablePolicy } from "./_table_policy.ts";

const V = 6;
const FAST = { learningRate: 0.05, maxNewTokens: 3, groupSize: 4 };
const wave = (i: number) => Math.sin(3 * i);

/** Prompts whose two tokens are their place and what the policy sees; remembers what was taken. */
function sourceOf(count: number) {
  const taken: number[] = [];
  const take = (from: number, many: number) =>
    Array.from({ length: many }, (_, i) => {
      taken.push(from + i);
      return Int32Array.of(from + i, 1 + (from + i) % 5);
    });
  return { count, take, taken };
}

/** Scores differ in the groups of these places alone; what they are tells place and member. */
const scoreOf = (teaches: (place: number) => boolean) => ({ prompts }: Rollout) =>
  Promise.resolve(prompts.map(([place], b) => teaches(place) ? place + b % 4 / 4 : 7));

/** Remembers what was drawn and evaluated. */
class Watched extends TablePolicy {
  draws: { prompts: Int32Array[]; options: SamplingOptions }[] = [];
  evaluated: TokenBatch[] = [];
  override generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
    this.draws.push({ prompts, options });
    return super.generate(prompts, options);
  }
  override evaluate(batch: TokenBatch): Promise<Evaluation> {
    this.evaluated.push(batch);
    return super.evaluate(batch);
  }
}

const placesOf = ({ prompts }: Rollout) => prompts.filter((_, b) => b % 4 === 0).map(([p]) => p);
const groupsOf = (metrics: Record<string, number>) =>
  ["draws", "evicted", "kept", "learned", "surplus"].map((name) => metrics[`groups/${name}`]);

Deno.test("prompts are taken one after the other until the batch is full; what is left over comes next", async () => {
  const policy = new Watched(V, wave), trainer = new Trainer(policy, FAST, dapo);
  const source = sourceOf(3), score = scoreOf((place) => [1, 5, 6, 7, 9, 12].includes(place));
  // 0 1 2 | 3 4 5 | 6 7 8 : learns from 1 5 6, keeps 7
  const first = await trainer.step(source, score);
  assert.deepEqual(source.taken, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(placesOf(first.rollout), [1, 5, 6]);
  assert.deepEqual(groupsOf(first.metrics), [3, 5, 0, 3, 1]);
  assert.deepEqual(trainer.state().sampling!.place, 9);
  // 9 10 11 | 12 13 14 : learns from 7 9 12, keeps none
  const second = await trainer.step(source, score);
  assert.deepEqual(source.taken.slice(9), [9, 10, 11, 12, 13, 14]);
  assert.deepEqual(placesOf(second.rollout), [7, 9, 12]);
  assert.deepEqual(groupsOf(second.metrics), [2, 4, 1, 3, 0]);
  assert.deepEqual(trainer.state().sampling, { place: 15 });
  for (const { metrics } of [first, second]) { // every group is somewhere
    const [draws, evicted, kept, learned, surplus] = groupsOf(metrics);
    assert.equal(kept + 3 * draws, evicted + learned + surplus);
    assert.equal(metrics["rewards/scored_count"], 12 * draws);
    assert.equal(metrics["groups/equal_share"], 0);
  }
  // Every draw has one size, and rows of its own under the step's stream.
  assert.deepEqual(
    policy.draws.map(({ prompts, options }) => [prompts.length, options.stream, options.row0 ?? 0]),
    [[12, 0, 0], [12, 0, 12], [12, 0, 24], [12, 1, 0], [12, 1, 12]],
  );
  assert.deepEqual(first.scores, [1, 5, 6].flatMap((p) => [0, 1, 2, 3].map((i) => p + i / 4)));
});

Deno.test("surplus groups that are to be discarded are counted, and gone", async () => {
  const trainer = new Trainer(new Watched(V, wave), { ...FAST, surplusGroups: "discard" }, dapo);
  const source = sourceOf(3), score = scoreOf((place) => place > 0);
  const { metrics, rollout } = await trainer.step(source, score);
  assert.deepEqual([placesOf(rollout), groupsOf(metrics)], [[1, 2, 3], [2, 1, 0, 3, 2]]);
  assert.deepEqual(trainer.state().sampling, { place: 6 });
  const next = await trainer.step(source, score);
  assert.deepEqual([placesOf(next.rollout), groupsOf(next.metrics)], [[6, 7, 8], [1, 0, 0, 3, 0]]);
});

Deno.test("where the draws are used up, a step learns from the groups it has", async () => {
  const policy = new Watched(V, wave);
  const trainer = new Trainer(policy, { ...FAST, maxDraws: 2, minibatches: 2 }, dapo);
  const source = sourceOf(3), score = scoreOf((place) => place === 4);
  const { metrics, rollout } = await trainer.step(source, score);
  assert.deepEqual([placesOf(rollout), groupsOf(metrics)], [[4], [2, 5, 0, 1, 0]]);
  assert.equal(metrics["optimizer/epochs"], 1);
  assert.ok(policy.steps === 2 && Number.isFinite(metrics["loss/total"]));
});

Deno.test("a step that finds nothing to learn from is no fault: no update, no loss, and the run goes on", async () => {
  const policy = new Watched(V, wave), before = policy.save();
  const settings = {
    ...{ ...FAST, maxDraws: 2, totalSteps: 10, epochs: 3 },
    ...{ klControl: "linear", klCoefficient: 0.5, klFinal: 0.1 },
  };
  const trainer = new Trainer(policy, settings, dapo), source = sourceOf(3);
  for (let step = 1; step <= 4; step++) { // three faults in a row would end it
    const { metrics, rollout } = await trainer.step(source, scoreOf(() => false));
    assert.deepEqual([rollout.prompts.length, groupsOf(metrics)], [0, [2, 6, 0, 0, 0]]);
    assert.equal(metrics["optimizer/epochs"], 0);
    assert.equal(metrics["optimizer/skipped_updates"], 0);
    assert.deepEqual([metrics["loss/total"], metrics["score/mean"]], [NaN, NaN]);
    assert.deepEqual(Object.keys(metrics), dapo.metrics.map(({ name }) => name));
    assert.deepEqual([trainer.state().faults, trainer.state().sampling!.place], [0, 6 * step]);
    // The schedule of the KL coefficient does not stand still.
    assertClose(
      [trainer.state().algorithm.klCoefficient],
      [0.5 - 0.04 * step],
      "coefficient",
      1e-12,
    );
  }
  assert.deepEqual(policy.save(), before);
  const { metrics } = await trainer.step(source, scoreOf(() => true));
  assert.ok(Number.isFinite(metrics["loss/total"]) && policy.steps === 3);
});

Deno.test("a step in which no response could be scored is a fault, and the third in a row the last", async () => {
  const trainer = new Trainer(new Watched(V, wave), { ...FAST, maxDraws: 2 }, dapo);
  const source = sourceOf(3);
  const none = ({ prompts }: Rollout) => Promise.resolve(prompts.map(() => null));
  for (const faults of [1, 2]) {
    const { metrics } = await trainer.step(source, none);
    assert.equal(metrics["optimizer/skipped_updates"], 1);
    assert.equal(metrics["rewards/null_count"], 24);
    assert.equal(trainer.state().faults, faults);
  }
  await assert.rejects(trainer.step(source, none), {
    name: "Error",
    message: /3 updates in a row had to be skipped: no response had a score; fix the reward/,
  });
});

Deno.test("a kept group's ratio is that to the policy that drew it, a new group's begins at 1", async () => {
  /** Its sampler's numbers are a little off those of the training pass. */
  class Off extends Watched {
    override async generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
      const rollout = await super.generate(prompts, options);
      return { ...rollout, logprobs: rollout.logprobs.map((row) => row.map((l) => l - 1e-3)) };
    }
  }
  for (const microbatchRows of [0, 4]) {
    const policy = new Off(V, wave);
    const trainer = new Trainer(policy, { ...FAST, microbatchRows, minibatches: 1 }, dapo);
    const source = sourceOf(2), score = scoreOf((place) => place > 0); // 0 1 | 2 3 : keeps 3
    const first = await trainer.step(source, score);
    assert.deepEqual(placesOf(first.rollout), [1, 2]);
    assert.deepEqual([first.metrics["policy/ratio_min"], first.metrics["policy/ratio_max"]], [
      1,
      1,
    ]);
    const { kept } = trainer.state().sampling!;
    policy.gradients.length = policy.evaluated.length = 0;
    const moved = policy.logits.slice();
    const { experience, rollout, metrics } = await trainer.step(source, score);
    assert.deepEqual(placesOf(rollout), [3, 4]);
    const { old, now, sampled, advantage, grid: { mask, T, B } } = experience;
    const drawn = readGroups(kept!, 4).rollout;
    const fresh = new TablePolicy(V);
    fresh.logits.set(moved);
    const { logprob } = await fresh.evaluate({ ...rollout, temperature: 1 });
    let unlike = 0, tokens = 0;
    const want = new Float64Array(B * T);
    mask.forEach((is) => tokens += is);
    mask.forEach((is, i) => {
      if (!is) return;
      const b = Math.floor(i / T), isKept = b < 4;
      assert.equal(now.logprob[i], logprob[i]);
      assert.equal(old.logprob[i], isKept ? drawn.logprobs[b][i % T] : logprob[i]);
      assert.equal(sampled[i], rollout.logprobs[b][i % T]);
      if (isKept && Math.abs(now.logprob[i] - old.logprob[i]) > 2e-3) unlike++;
      const ratio = Math.exp(now.logprob[i] - old.logprob[i]), A = advantage[i];
      const clipped = A >= 0 ? ratio > 1.28 : ratio < 0.8;
      want[i] = clipped ? 0 : -A * ratio / tokens;
    });
    assert.ok(unlike > 3, "the policy has moved");
    assert.ok(metrics["policy/ratio_max"] > 1.01 || metrics["policy/ratio_min"] < 0.99);
    const got = new Float64Array(B * T); // pieces have their own widths
    policy.gradients.forEach(({ dlogprob }, piece) => {
      const rows = microbatchRows || B, width = dlogprob.length / rows;
      dlogprob.forEach((g, i) => got[(piece * rows + Math.floor(i / width)) * T + i % width] = g);
    });
    assertClose(got, want, `gradient, pieces of ${microbatchRows}`, 1e-7);
  }
});

Deno.test("a run that is saved with kept groups and restored goes on exactly as one that never stopped", async () => {
  const score = ({ prompts, responses }: Rollout) =>
    Promise.resolve(responses.map((r, b) => r[0] === 1 + prompts[b][1] % 5 ? 1 : 0));
  const settings = { ...FAST, epochs: 2, minibatches: 2, totalSteps: 12 };
  const whole = new TablePolicy(V, wave), through = new Trainer(whole, settings, dapo);
  const source = sourceOf(3), all = [], taken: number[] = [];
  let policy = new TablePolicy(V, wave), trainer = new Trainer(policy, settings, dapo), kept = 0;
  for (let step = 0; step < 12; step++) {
    const want = await through.step(source, score);
    const cut = sourceOf(3), got = await trainer.step(cut, score);
    taken.push(...cut.taken);
    all.push(want.metrics["groups/kept"]);
    for (const part of ["metrics", "rollout", "scores", "experience"] as const) {
      assert.deepEqual(got[part], want[part], `${part} of step ${step}`);
    }
    const saved = JSON.stringify({ policy: policy.save(), trainer: trainer.state() });
    kept += trainer.state().sampling?.kept ? 1 : 0;
    policy = new TablePolicy(V);
    policy.frozen.set(whole.frozen);
    policy.load(JSON.parse(saved).policy);
    trainer = new Trainer(policy, settings, dapo);
    trainer.restore(JSON.parse(saved).trainer);
    assert.deepEqual(trainer.state(), through.state());
    assert.deepEqual(policy.save(), whole.save());
  }
  assert.ok(kept >= 3 && all.some((n) => n > 0), `groups were kept ${all}`);
  assert.deepEqual(taken, source.taken);
});

Deno.test("equal scores are compared, not subtracted; fewer than two are equal, and what is clipped alike too", () => {
  const of = (scores: Scores, size = 4, scoreClip = 0, greedyScores?: Scores) =>
    unequalGroups({ scores, columns: [], greedyScores }, { size, scoreClip, byReward: false });
  assert.deepEqual(of([0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7 + 1e-7]), [1]);
  assert.deepEqual(of([0.1, 0.1, null, 0.1, null, 1, null, null, null, 1, 2, null]), [2]);
  assert.deepEqual(of(Array(4).fill(null)), []);
  assert.deepEqual(of([5, 9, 7, 6, 1, 2, 9, 9], 4, 3), [1]);
  assert.deepEqual(of([1, 2, 1, 2], 2, 0, [0, 0, null, 1]), [0]);
});

Deno.test("rewards that are compared one by one must all be equal, and their sum is not asked", () => {
  const of = (byReward: boolean, a: Scores, b: Scores, total: Scores) => {
    const columns = [{ name: "a", weight: 1, scores: a }, { name: "b", weight: 1, scores: b }];
    return unequalGroups({ scores: total, columns }, { size: 2, scoreClip: 0, byReward });
  };
  const two = [[1, 0, 3, 3, 1, null], [0, 1, 2, 2, 0, 1], [1, 1, 5, 5, 1, null]] as const;
  assert.deepEqual(of(true, [...two[0]], [...two[1]], [...two[2]]), [0]);
  assert.deepEqual(of(false, [...two[0]], [...two[1]], [...two[2]]), []);
  const gdpo = { rewardAggregation: "normalise-then-sum" };
  const needs = (settings: Record<string, unknown>) =>
    new Trainer(new TablePolicy(V), settings, dapo).needs;
  assert.equal(needs(gdpo).dynamicSampling!.byReward, true);
  assert.throws(() => needs({ ...gdpo, overlongCache: 2 }), {
    name: "RangeError",
    message:
      "Cannot train with dapo as rewardAggregation=normalise-then-sum has no sum of rewards " +
      "that a penalty on length could be taken off: overlongCache is 2; set it to 0",
  });
});

Deno.test("groups of several draws have their rewards side by side, by the weights of the last", () => {
  const of = (name: string, weight: number, score: number): Drawn => ({
    rollout: { prompts: [], responses: [], finished: [], logprobs: [] },
    ...{ scores: [score], columns: [{ name, weight, scores: [score / 2] }] },
  });
  const { scores, columns } = joinDrawn([of("a", 1, 4), of("a", 3, 6)]);
  assert.deepEqual([scores, columns], [[4, 6], [{ name: "a", weight: 3, scores: [2, 3] }]]);
  assert.throws(() => joinDrawn([of("a", 1, 4), of("b", 1, 6)]), {
    name: "TypeError",
    message:
      "Cannot learn from groups together as each must have scores by the same rewards: some " +
      "have a, others b",
  });
});

Deno.test("groups are saved to the last bit, as plain JSON", () => {
  const drawn: Drawn = {
    rollout: {
      prompts: [[1, 2, 3], [1, 2, 3], [50256], [50256]].map((ids) => Int32Array.from(ids)),
      responses: [[9], [8, 7], [0, 2 ** 31 - 1], [5]].map((ids) => Int32Array.from(ids)),
      finished: [true, false, false, true],
      logprobs: [[-0.1], [-1e-38, -0], [-103.25, -Math.PI], [-3e38]].map((x) =>
        Float32Array.from(x)
      ),
    },
    scores: [0.1, null, 1 / 3, -7],
    greedyScores: [1, 1, null, null],
    columns: [{ name: "a", weight: 0.1, scores: [0.7, 1, null, 3] }],
  };
  const saved = saveGroups(drawn, 2), read = JSON.parse(JSON.stringify(saved));
  assert.deepEqual(read, saved);
  assert.deepEqual([saved.prompts.length, saved.responses.length], [2, 4]);
  assert.deepEqual(readGroups(read, 2), drawn);
  const view = new Int32Array([1, 2, 3, 4]).subarray(1, 3); // bytes of the view alone
  const part = { ...drawn.rollout, responses: [view, view, view, view] };
  assert.equal(saveGroups({ ...drawn, rollout: part }, 2).responses[0], "AgAAAAMAAAA=");
});

Deno.test("kept groups that are none are refused, and those of a run that no longer samples dynamically left out", () => {
  const trainer = new Trainer(new TablePolicy(V), FAST, dapo);
  const one = Int32Array.of(1), row = Float32Array.of(-1);
  const of = <T>(x: T): T[] => Array<T>(4).fill(x);
  const rollout = {
    ...{ prompts: of(one), responses: of(one), finished: of(true), logprobs: of(row) },
  };
  const scores = [1, 2, 3, 4], columns = [{ name: "score", weight: 1, scores }];
  const kept = saveGroups({ rollout, scores, columns }, 4);
  const state = { step: 2, faults: 0, algorithm: { klCoefficient: 0 } };
  const restore = (sampling: unknown, settings = {}) => {
    const other = new Trainer(new TablePolicy(V), { ...FAST, ...settings }, dapo);
    other.restore({ ...state, sampling } as never);
    return other.state();
  };
  assert.deepEqual(restore({ place: 12, kept }).sampling, { place: 12, kept });
  assert.deepEqual(restore({ place: 12, kept }, { dynamicSampling: false }), state);
  assert.deepEqual(restore(undefined), state);
  const refused: [unknown, string][] = [
    [null, "sampling.place must be a whole number >= 0: it is undefined"],
    [{ place: 1.5 }, "sampling.place must be a whole number >= 0: it is 1.5"],
    [{ place: -1 }, "sampling.place must be a whole number >= 0: it is -1"],
  ];
  const changed: [Partial<Record<keyof SavedGroups, unknown>>, string][] = [
    [{ groupSize: 8 }, "must be of groupSize=4 completions: they are of 8"],
    [{ prompts: 7 }, "must have prompts: they are 7"],
    [{ prompts: [7] }, "must have prompts of which each is 32-bit numbers in base64: one is 7"],
    [{ responses: kept.responses.slice(1) }, "must have 4 responses: it is a list of 3"],
    [
      { logprobs: of("AAA=") },
      'must have logprobs of which each is 32-bit numbers in base64: one is "AAA="',
    ],
    [
      { logprobs: of("?") },
      'must have logprobs of which each is 32-bit numbers in base64: one is "?"',
    ],
    [
      { responses: of("") },
      'must have responses of which each is 32-bit numbers in base64: one is ""',
    ],
    [
      { responses: of("AAAAAAAAAAA=") },
      "must have one logprob a token: response 0 has 1 of 2",
    ],
    [{ finished: of(1) }, "must have finished of which each is true or false: one is 1"],
    [
      { scores: [1, 2, 3, "4"] },
      'must have scores of which each is a number, finite in 32 bits, or null: one is "4"',
    ],
    [
      { scores: [1, 2, 3, 1e300] }, // which would be an advantage of NaN, and a skipped update
      "must have scores of which each is a number, finite in 32 bits, or null: one is 1e+300",
    ],
    [{ greedyScores: [1] }, "must have 4 greedyScores: it is a list of 1"],
    [{ columns: 3 }, "must have a list of columns: it is 3"],
    [
      { columns: [{ name: "a" }] },
      "must have columns of which each is a name, a weight and scores: one is an object with name",
    ],
    [{ columns: [{ name: "a", weight: 1 }] }, "must have 4 scores of a: it is undefined"],
  ];
  for (const [part, rule] of changed) {
    refused.push([{ place: 1, kept: { ...kept, ...part } }, `its kept groups ${rule}`]);
  }
  for (const [sampling, rule] of refused) {
    const message = `Cannot restore the trainer as ${rule}`;
    assert.throws(() => restore(sampling), { name: "TypeError", message });
  }
  assert.deepEqual(trainer.state(), { ...state, step: 0 });
});

Deno.test("any algorithm with groups can sample dynamically, by default DAPO alone", () => {
  const withRows = ["rloo", "grpo", "dr-grpo", "bnpo", "dapo", "gspo", "luspo", "cispo", "sapo"]
    .concat("gmpo", "vespo", "dppo-tv", "reinforce++-baseline");
  for (const name of withRows) {
    const needs = (settings = {}) => new Trainer(new TablePolicy(V), settings, name).needs;
    const on = { maxDraws: 10, surplusGroups: "keep", byReward: false };
    assert.deepEqual(needs().dynamicSampling, name === "dapo" ? on : undefined, name);
    assert.deepEqual(needs({ dynamicSampling: true }).dynamicSampling, on, name);
    assert.equal(needs({ dynamicSampling: false }).dynamicSampling, undefined, name);
  }
  const { defaults } = findAlgorithm("dapo").options;
  const of = [
    "clipLow",
    "clipHigh",
    "lossNormaliser",
    "advantageScale",
    "baseline",
    "overlongCache",
  ];
  assert.deepEqual(of.map((name) => (defaults as Record<string, unknown>)[name]), [
    ...[0.2, 0.28, "tokens", "sample", "mean", 0],
  ]);
});

Deno.test("an array of prompts does where no further ones can be needed, else the error says so", async () => {
  const prompts = sourceOf(3).take(0, 3), score = scoreOf((place) => place !== 1);
  await assert.rejects(new Trainer(new TablePolicy(V), FAST, dapo).step(prompts, score), {
    name: "TypeError",
    message:
      "Cannot sample dynamically with dapo as groups that teach nothing are replaced by those " +
      "of further prompts: step() was given an array of 3; give it a source { count, take }, or set " +
      "dynamicSampling=false or maxDraws=1",
  });
  const once = new Trainer(new TablePolicy(V, wave), { ...FAST, maxDraws: 1 }, dapo);
  assert.deepEqual(placesOf((await once.step(prompts, score)).rollout), [0, 2]);
  const off = new Trainer(new TablePolicy(V, wave), { ...FAST, dynamicSampling: false }, dapo);
  assert.deepEqual(placesOf((await off.step(prompts, score)).rollout), [0, 1, 2]);
  assert.equal(off.state().sampling, undefined);
  const few = { count: 3, take: () => prompts.slice(1) };
  await assert.rejects(new Trainer(new TablePolicy(V), FAST, dapo).step(few, score), {
    name: "RangeError",
    message: "Cannot draw as the source must give the 3 prompts it was asked for: it gave 2",
  });
});

Deno.test("without dynamic sampling a source is asked for the prompts of the step, also after a restart", async () => {
  const source = sourceOf(4), score = scoreOf(() => true);
  const trainer = new Trainer(new TablePolicy(V, wave), FAST, "grpo");
  await trainer.step(source, score);
  trainer.restore({ ...trainer.state(), step: 5 });
  await trainer.step(source, score);
  assert.deepEqual(source.taken, [0, 1, 2, 3, 20, 21, 22, 23]);
  const late = new Trainer(new TablePolicy(V, wave), FAST, dapo); // of a run that began without
  late.restore({ ...late.state(), step: 5 });
  await late.step(source, score);
  assert.deepEqual(source.taken.slice(8, 9), [20]);
});

Deno.test("greedy completions that are compared with are drawn with each draw, and kept with their group", async () => {
  const scored = (x: number): Drawn => ({
    rollout: {
      prompts: Array(4).fill(Int32Array.of(x)),
      ...{ responses: Array(4).fill(Int32Array.of(x)), finished: Array(4).fill(true) },
      logprobs: Array(4).fill(Float32Array.of(-x)),
    },
    scores: [x, 2 * x, x, 3 * x],
    columns: [],
    greedyScores: [x, x, x + 1, x + 1],
  });
  const dynamic = { maxDraws: 3, surplusGroups: "keep", byReward: false } as const;
  const fill = (place: number, saved?: SavedGroups) =>
    fillBatch((at) => Promise.resolve(scored(1 + at)), {
      ...{ count: 2, groupSize: 2, scoreClip: 0, dynamic, place, saved },
    });
  const first = await fill(0);
  assert.deepEqual([first.greedyScores, first.keptRows], [[1, 1, 2, 2], 0]);
  const { kept } = (await fill(2, saveGroups(scored(9), 2))).next!;
  assert.deepEqual([kept!.greedyScores, kept!.scores], [[3, 3, 4, 4], [3, 6, 3, 9]]);
});
