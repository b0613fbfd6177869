/** A response that no reward could score has no part in what the others learn, under any algorithm. */
import assert from "node:assert/strict";
import type { Algorithm } from "../../rl/algorithm.ts";
import { findAlgorithm, listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { Rollout, SamplingOptions } from "../../rl/policy.ts";
import type { ScoreBreakdown, Scores } from "../../rl/scores.ts";
import { Trainer, type TrainerStep } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { EOS, TablePolicy } from "./_table_policy.ts";

const V = 6, GROUPS = 5;
/** Of each group of 4, in its order: which has no score, and what the others have. */
const NULLS = [2, 0, 3, 1, 0];
const SCORES = [[1, 0, 0.25], [3, 3, 3], [-1, 0.5, 7], [0, 0, 1], [0.1, 0.1, 0.7]];

/** Completions as they are given, of any lengths; greedy ones end at once. */
class Given extends TablePolicy {
  constructor(readonly answers: number[][]) {
    super(V, (i) => Math.sin(3 * i));
    this.frozen = this.logits.map((z, i) => z + 0.3 * Math.cos(i));
  }
  override async generate(prompts: Int32Array[], { greedy }: SamplingOptions): Promise<Rollout> {
    const responses = prompts.map((_, b) => Int32Array.from(greedy ? [EOS] : this.answers[b]));
    const { logprob } = await this.evaluate({ prompts, responses, temperature: 1 });
    const T = logprob.length / responses.length;
    return {
      ...{ prompts, responses, finished: responses.map((r) => r.at(-1) === EOS) },
      logprobs: responses.map((r, b) => logprob.slice(b * T, b * T + r.length)),
    };
  }
}

/** Every group of four with one that has no score; the three others; or all of them, one to a prompt. */
function rows(all: boolean): { answers: number[][]; scores: Scores } {
  const answers: number[][] = [], scores: Scores = [];
  for (let g = 0; g < GROUPS; g++) {
    const own = [...SCORES[g]];
    for (let i = 0; i < 4; i++) {
      const isNull = i === NULLS[g];
      if (isNull && !all) continue;
      const length = 1 + (g + 2 * i) % 4;
      answers.push(
        Array.from({ length }, (_, t) => t === length - 1 && i % 2 ? EOS : 1 + (g + t) % 5),
      );
      scores.push(isNull ? null : own.shift()!);
    }
  }
  return { answers, scores };
}

/** One step over these rows, `size` of which have a prompt in common. */
async function stepOf(
  algorithm: Algorithm,
  { answers, scores, size, more = {}, greedy }: {
    answers: number[][];
    scores: Scores | ScoreBreakdown;
    size: number;
    more?: Record<string, unknown>;
    greedy?: Scores;
  },
): Promise<{ step: TrainerStep; policy: Given; state: unknown }> {
  const policy = new Given(answers), isGroup = "groupSize" in algorithm.options.rows;
  const prompts = Array.from({ length: answers.length / size }, (_, g) => Int32Array.of(1 + g % 5));
  const settings = {
    ...{ maxNewTokens: 4, epochs: 1, klCoefficient: 0.1, ...more },
    ...(isGroup && { groupSize: size, dynamicSampling: false }),
  };
  const trainer = new Trainer(policy, settings, algorithm);
  const step = await trainer.step(
    isGroup ? prompts : prompts.flatMap((prompt) => Array<Int32Array>(size).fill(prompt)),
    (_, draw) => Promise.resolve(draw === "greedy" ? greedy ?? scores : scores),
  );
  return { step, policy, state: trainer.state() };
}

/** Each row's advantages, of its own tokens. */
const advantages = ({ experience: { advantage, grid: { T, length } } }: TrainerStep): number[][] =>
  Array.from(length, (n, b) => [...advantage.subarray(b * T, b * T + n)]);

/** Asserts that the rows with a score are learned from as if there were no others. */
async function assertLeftOut(algorithm: Algorithm, more: Record<string, unknown> = {}) {
  const whole = rows(true), few = rows(false), kept = whole.scores.map((score) => score !== null);
  const name = `${algorithm.name} ${JSON.stringify(more)}`;
  const all = await stepOf(algorithm, { ...whole, size: 4, more, greedy: GREEDY(20) });
  const some = await stepOf(algorithm, {
    ...few,
    ...{ size: 3, more, greedy: GREEDY(20).filter((_, b) => kept[b]) },
  });
  const got = advantages(all.step), want = advantages(some.step);
  assertClose(got.filter((_, b) => kept[b]).flat(), want.flat(), name, 1e-6);
  assert.ok(want.flat().some((a) => Math.abs(a) > 0.01), name);
  assert.deepEqual(got.filter((_, b) => !kept[b]).flat().filter((a) => a !== 0), [], name);
  const { gradients: [{ dlogprob }] } = all.policy, { grid: { T } } = all.step.experience;
  dlogprob.forEach((d, i) => assert.ok(kept[Math.floor(i / T)] || d === 0, name));
  const told = /^(score|kl|groups|returns|advantages|policy.sequence)/;
  for (const [column, value] of Object.entries(all.step.metrics)) {
    if (told.test(column)) assertNear(value, some.step.metrics[column], `${name} ${column}`);
  }
  assert.equal(all.step.metrics["rewards/null_count"], GROUPS);
  assert.deepEqual(all.state, some.state);
}
const GREEDY = (n: number): Scores => Array.from({ length: n }, (_, b) => 0.2 * (b % 3));
/** Near, or both no number. */
const assertNear = (got: number, want: number, name: string) =>
  Number.isNaN(want) ? assert.ok(Number.isNaN(got), name) : assertClose([got], [want], name, 1e-6);

for (const algorithm of listAlgorithms()) {
  Deno.test(`${algorithm.name}: what has no score counts for no other response`, async () => {
    await assertLeftOut(algorithm);
    const { rows } = algorithm.options as unknown as { rows: Record<string, unknown> };
    if (rows.klIn) await assertLeftOut(algorithm, { klIn: "reward" });
    if (rows.rewardAggregation) {
      const more = { klIn: "loss", rewardAggregation: "normalise-then-sum" };
      await assertLeftOut(algorithm, more);
    }
  });
}

Deno.test("siblings without a score are missing from every baseline and scale", async () => {
  for (const baseline of ["mean", "leave-one-out"]) {
    for (const advantageScale of ["sample", "population", "batch", "none"]) {
      await assertLeftOut(findAlgorithm("grpo"), { baseline, advantageScale });
    }
  }
});

Deno.test("whitening, each by both variances, and none of it, leave out what has no score", async () => {
  for (const whitenVariance of ["sample", "population"]) {
    await assertLeftOut(findAlgorithm("reinforce++"), { whitenVariance });
    await assertLeftOut(findAlgorithm("reinforce++-baseline"), { whitenVariance });
  }
  for (const whitenAdvantages of ["sample", "population", "off"]) {
    for (const whitenRewards of [false, true]) {
      await assertLeftOut(findAlgorithm("ppo"), { whitenAdvantages, whitenRewards });
    }
  }
  for (const batchBaseline of [false, true]) {
    await assertLeftOut(findAlgorithm("reinforce"), { batchBaseline });
  }
});

Deno.test("ReMax learns from a response only where its prompt's greedy completion has a score too", async () => {
  const { answers, scores } = rows(true), missing = [1, 7, 8];
  const given = scores.map((score) => score ?? 0.5);
  const greedy = GREEDY(20).map((score, b) => missing.includes(b) ? null : score);
  const { step } = await stepOf(findAlgorithm("remax"), {
    ...{ answers, scores: given, size: 4, greedy, more: { klCoefficient: 0 } },
  });
  const { experience: { scored }, metrics } = step;
  assert.deepEqual(scored, given.map((_, b) => !missing.includes(b)));
  const want = given.map((score, b) => greedy[b] === null ? 0 : score - greedy[b]);
  assertClose(advantages(step).map(([first]) => first), want, "advantages", 1e-6);
  const mean = (of: number[]) => of.reduce((sum, x) => sum + x) / of.length;
  const kept = given.filter((_, b) => scored[b]);
  assert.equal(metrics["rewards/null_count"], 3);
  assertClose([metrics["score/mean"]], [mean(kept)], "score", 1e-6);
  const known = greedy.filter((score) => score !== null);
  assertClose([metrics["score/greedy_mean"]], [mean(known)], "greedy", 1e-6);
});

Deno.test("a group without any score, and one with a score alone, teach nothing under any algorithm", async () => {
  const groups = listAlgorithms().filter(({ options }) => "groupSize" in options.rows);
  const { answers, scores } = rows(true);
  const given = scores.map((score, b) => b < 4 ? null : b >= 8 || b === 5 ? score ?? 2 : null);
  for (const algorithm of groups) {
    for (const rewardAggregation of ["sum-then-normalise", "normalise-then-sum"]) {
      const more = { klIn: "loss", rewardAggregation, klCoefficient: 0 };
      const { step } = await stepOf(algorithm, { answers, scores: given, size: 4, more });
      const own = advantages(step);
      const quiet = algorithm.name === "reinforce++-baseline" ? own.slice(0, 4) : own.slice(0, 8);
      assert.deepEqual(quiet.flat().filter((a) => a !== 0), [], algorithm.name);
      assert.ok(own.slice(8).flat().some((a) => a !== 0), algorithm.name);
      assert.ok(own.flat().every(Number.isFinite), algorithm.name);
    }
  }
});

Deno.test("one reward null and another not: each is compared among those that it could score", async () => {
  const answers = rows(true).answers.slice(0, 8);
  const a = [1, 0, null, 0, null, null, null, null], b = [null, 2, 2, 6, null, 1, 3, null];
  const total = a.map((x, i) => x === null && b[i] === null ? null : (x ?? 0) + 0.5 * (b[i] ?? 0));
  const given: ScoreBreakdown = { total, scores: { a, b }, weights: { a: 1, b: 0.5 } };
  const more = { rewardAggregation: "normalise-then-sum", advantageEpsilon: 0, klCoefficient: 0 };
  const { step } = await stepOf(findAlgorithm("grpo"), {
    ...{ answers, scores: given, size: 4, more },
  });
  const third = Math.sqrt(3) / 3; // z-scores of 1, 0, 0 and of 2, 2, 6 are 2, -1, -1 of it
  const half = Math.SQRT1_2; // of 1, 3
  const x = [2 * third, -1.5 * third, -0.5 * third, 0, 0, -half / 2, half / 2, 0];
  const std = Math.sqrt(x.reduce((sum, of) => sum + of ** 2, 0) / 5); // six have a score
  assertClose(advantages(step).map(([first]) => first), x.map((of) => of / std), "GDPO", 1e-6);
  assert.equal(step.metrics["rewards/null_count"], 2);
});
