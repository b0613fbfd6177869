/** Studies: what they ask, what they measure, and what they say of it. */
import assert from "node:assert/strict";
import type { RunData } from "../../../experiment/folder/run_data.ts";
import type { CompletionRow, Summary } from "../../../experiment/observer.ts";
import { resolveRequest } from "../../../experiment/request.ts";
import {
  bestPlayer,
  deepestFall,
  equalGroups,
  exactAfter,
  exactBefore,
  fallbacks,
  firstScore,
  lastKl,
  lastScore,
  measureAfter,
  movingMeans,
  rewardAfter,
  rewardBefore,
  roughness,
} from "../../../experiment/studies/measures.ts";
import { findStudy, listStudies } from "../../../experiment/studies/registry.ts";
import { Results } from "../../../experiment/studies/results.ts";
import { requestOf, trainWords } from "../../../experiment/studies/study.ts";
import { assertClose } from "../../_close.ts";

const result = (exact: number, reward: number, measure?: number) => ({ exact, reward, measure });

/** A run with these metrics by name, a value a step. */
function runOf(
  metrics: Record<string, number[]>,
  { after = 0.5, completions = [] as CompletionRow[] } = {},
): RunData {
  const names = Object.keys(metrics), steps = Object.values(metrics)[0]?.length ?? 0;
  return {
    folder: "runs/x",
    config: { task: "t" } as RunData["config"],
    names,
    metrics: Array.from(
      { length: steps },
      (_, i) => [i + 1, ...names.map((name) => metrics[name][i])],
    ),
    completions,
    summary: {
      heldout: { before: result(0.25, 0.3), after: result(after, 0.75, 0.6) },
      players: { prompts: 4, copy: result(0, 0.4), nothing: result(0, 0.1) },
    } as unknown as Summary,
  };
}

Deno.test("every arm of every study is a run that can be asked for, in both forms", () => {
  for (const study of listStudies()) {
    const names = study.arms.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, study.name);
    assert.ok(study.seeds.length >= 3 && study.measures.length > 0, study.name);
    for (const arm of study.arms) {
      for (const isQuick of [false, true]) {
        const request = requestOf(study, arm, isQuick);
        const resolved = resolveRequest({ ...request, seed: 1 });
        assert.equal(resolved.task.name, request.task, arm.name);
        if (isQuick) assert.equal(resolved.config.totalSteps, study.quick.steps, arm.name);
      }
    }
  }
  assert.throws(() => findStudy("analogy"), /Cannot find the study "analogy".*analogies/);
});

Deno.test("an arm is a line of train", () => {
  const request = {
    task: "math",
    reward: "exact,format",
    model: undefined,
    settings: { level: 1 },
  };
  assert.deepEqual(trainWords({ ...request, steps: 3, seed: 2 }), [
    ...["math", "level=1", "--reward", "exact,format", "--steps", "3", "--seed", "2"],
  ]);
  const [study] = listStudies();
  const quick = requestOf(study, study.arms[2], true);
  assert.equal(quick.steps, study.quick.steps);
  assert.deepEqual(quick.settings, { ...study.arms[2].request.settings, ...study.quick.settings });
});

Deno.test("measures are what their words say", () => {
  const steps = Array.from({ length: 30 }, (_, i) => i);
  const run = runOf({
    "score/mean": steps,
    "kl/reference": steps.map((i) => i === 29 ? NaN : i / 10),
    "groups/equal_share": steps.map((i) => i % 2),
    "rewards/judge_soft/fallbacks": steps.map(() => 1),
    "rewards/null_count": steps.map(() => 2),
    "rewards/fallbacks_not/mean": steps.map(() => 100),
  });
  const values = [
    ...[exactBefore, exactAfter, rewardBefore, rewardAfter, measureAfter, bestPlayer],
    ...[firstScore, lastScore, lastKl, equalGroups, fallbacks],
  ].map((measure) => measure.of(run));
  assertClose(values, [0.25, 0.5, 0.3, 0.75, 0.6, 0.4, 9.5, 19.5, 2.8, 0.5, 90], "measures", 1e-12);
  const empty = { ...runOf({}), summary: undefined };
  for (const measure of [exactAfter, bestPlayer, lastScore, lastKl, roughness, deepestFall]) {
    assert.ok(Number.isNaN(measure.of(empty)), measure.name);
  }
});

Deno.test("roughness and the deepest fall, by hand", () => {
  assert.deepEqual(movingMeans([1, 2, 3, 4, 5, 6], 5), [3, 4]);
  assert.deepEqual([movingMeans([1, 3], 5), movingMeans([], 5)], [[2], []]);
  const climb = Array.from({ length: 10 }, (_, i) => i);
  // Jumps of 1; means of five go from 2 to 7.
  assertClose([roughness.of(runOf({ "score/mean": climb }))], [1 / 5], "a climb", 1e-12);
  const flat = roughness.of(runOf({ "score/mean": climb.map(() => 1) }));
  assert.ok(Number.isNaN(flat), "one that goes nowhere has no range");
  const falls = [...climb, 4, 4, 4, 4, 4, 9, 9, 9, 9, 9];
  // Means of five rise to 7 at step 10, then (6+7+8+9+4)/5 = 6.8 and on to 4: 3 below.
  assertClose([deepestFall.of(runOf({ "score/mean": falls }))], [3], "falls", 1e-12);
  assert.equal(deepestFall.of(runOf({ "score/mean": climb })), 0);
});

const seeds = (arm: string, values: number[]) =>
  values.map((after, i) => ({ arm, seed: i + 1, run: runOf({}, { after }) }));

Deno.test("arms are compared seed by seed, and told apart only where the interval says so", () => {
  const results = new Results([
    ...seeds("a", [0.9, 0.8, 0.85]),
    ...seeds("b", [0.7, 0.6, 0.65]),
    ...seeds("c", [0.8, 0.9, 0.7]),
    ...seeds("alone", [0.5]),
  ]);
  assert.equal(results.difference("a", "b", exactAfter).verdict, "higher", "0.2 with every seed");
  const near = results.difference("a", "c", exactAfter);
  assertClose([near.mean, near.n], [0.05, 3], "a - c", 1e-12);
  assert.equal(near.verdict, "none");
  const far = new Results([...seeds("a", [0.9, 0.8, 0.86]), ...seeds("b", [0.7, 0.6, 0.65])]);
  assert.equal(far.difference("a", "b", exactAfter).verdict, "higher");
  assert.equal(far.difference("b", "a", exactAfter).verdict, "lower");
  assert.match(far.compared("b", "a", exactAfter), /^b and a: exact after .*: a is higher\.$/);
  assert.match(
    results.compared("a", "c", exactAfter),
    /a difference of 0\.050 \(-\d.* to 0\.\d+\): 3 seeds do not tell them apart\.$/,
  );
  assert.match(results.compared("alone", "a", exactAfter), /0\.500 and .*-0\.400: 1 seed does not/);
  assert.equal(results.said("nobody", exactAfter), "-");
  const nothing: [a: string, b: string, why: string][] = [
    ["a", "nobody", "no run of nobody has finished"],
    ["no one", "nobody", "no run of no one and none of nobody has finished"],
  ];
  for (const [a, b, why] of nothing) {
    const said = results.compared(a, b, exactAfter);
    assert.equal(said, `${a} and ${b}: nothing to compare, as ${why}.`);
  }
  assert.equal(
    results.compared("a", "b", lastKl),
    "a and b: nothing to compare, as no run of a and none of b has last KL.",
  );
  const apart = new Results([...seeds("a", [0.9]), ...seeds("b", [0.1, 0.2]).slice(1)]);
  assert.match(apart.compared("a", "b", exactAfter), /, as no seed has finished in both\.$/);
  const [alone, ...more] = findStudy("algorithms").answer(new Results(seeds("grpo", [0.5])));
  assert.deepEqual([alone, more], [
    "grpo alone has a finished run, 0.500: there is nothing to compare it with.",
    [],
  ]);
  const agreed = new Results(seeds("a", [0.5, 0.5, 0.5]));
  assert.equal(agreed.said("a", exactAfter), "0.500", "a point is no interval");
  // Seeds are matched by number, not by place.
  const shifted = new Results([
    ...seeds("a", [0.1, 0.2]),
    { arm: "b", seed: 2, run: runOf({}, { after: 0.2 }) },
  ]);
  assertClose([shifted.difference("a", "b", exactAfter).mean], [0], "seed 2 alone", 1e-12);
});

Deno.test("every study finds words for its runs, for some of them, and for none", () => {
  for (const study of listStudies()) {
    const all = study.arms.flatMap(({ name }) => seeds(name, [0.4, 0.5, 0.45]));
    for (const runs of [all, all.slice(0, 1), []]) {
      for (const sentence of study.answer(new Results(runs))) {
        assert.ok(!/NaN|undefined|Infinity|\b0 seeds/.test(sentence), `${study.name}: ${sentence}`);
        assert.match(sentence, /\.$/, sentence);
      }
    }
    assert.ok(study.answer(new Results(all)).length > 0, study.name);
  }
});

Deno.test("kind shares and win rates are of held-out answers, ties half", () => {
  const said = (
    phase: "before" | "after",
    split: "heldout" | "train",
    id: string,
    reward: number | null,
  ) => ({ phase, split, id, reward }) as CompletionRow;
  const completions = [
    ...[said("before", "heldout", "1", 0.5), said("before", "heldout", "2", -0.5)],
    ...[said("before", "heldout", "3", 0), said("before", "heldout", "4", null)],
    ...[said("before", "train", "5", 1), said("after", "train", "5", -1)],
    ...[said("after", "heldout", "1", 0.5), said("after", "heldout", "2", 0.2)],
    ...[said("after", "heldout", "3", -0.1), said("after", "heldout", "4", 0.9)],
  ];
  const named = (name: string) => findStudy("imdb").measures.find((one) => one.name === name)!;
  const run = runOf({}, { completions });
  const values = ["kind before", "kind after", "win rate"].map((name) => named(name).of(run));
  assertClose(values, [1 / 3, 3 / 4, 1.5 / 3], "by hand", 1e-12);
});
