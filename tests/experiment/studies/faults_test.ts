/** The study of mistakes: its measures by hand, and what it says of runs that show them. */
import assert from "node:assert/strict";
import type { RunData } from "../../../experiment/folder/run_data.ts";
import type { Summary } from "../../../experiment/observer.ts";
import {
  faults,
  firstGap,
  firstRatio,
  lastFinished,
  leastKl,
  longest,
  rewardsApart,
} from "../../../experiment/studies/faults.ts";
import type { Measure } from "../../../experiment/studies/measures.ts";
import { FAULT_NAMES } from "../../../experiment/faults/registry.ts";
import { Results } from "../../../experiment/studies/results.ts";
import { assertClose } from "../../_close.ts";

function runOf(
  metrics: Record<string, number[]>,
  weights: Record<string, number> = {},
  exact = 0.5,
): RunData {
  const names = Object.keys(metrics), steps = Object.values(metrics)[0]?.length ?? 0;
  return {
    folder: "runs/x",
    config: { task: "t", weights } as unknown as RunData["config"],
    names,
    metrics: Array.from({ length: steps }, (_, i) => [i + 1, ...names.map((of) => metrics[of][i])]),
    completions: [],
    summary: {
      heldout: { before: { exact, reward: exact }, after: { exact, reward: exact } },
    } as unknown as Summary,
  };
}

Deno.test("what tells a mistake is read off the columns that its words name", () => {
  const ended = Array.from({ length: 12 }, (_, i) => i < 2 ? 1 : i / 20);
  const run = runOf({
    "sampling/logp_difference_max": ended.map((_, i) => 7 - i),
    "policy/ratio": ended.map((_, i) => 3 + i),
    "tokens/finished_share": ended,
    "tokens/responses_len_mean": ended.map((_, i) => i === 5 ? 9 : 4),
    "kl/reference": ended.map((_, i) => i === 7 ? -40 : i),
    "rewards/a/mean": ended.map((_, i) => i / 10),
    "rewards/b/mean": ended.map(() => 0),
    "rewards/seen/mean": ended.map(() => 99),
  }, { a: 1, b: 0.5, seen: 0 });
  const of = (measures: Measure[]) => measures.map((measure) => measure.of(run));
  // The last ten of `ended` are 0.1, 0.15, … 0.55; a rises to 1.1.
  assertClose(
    of([firstGap, firstRatio, lastFinished, longest, leastKl, rewardsApart]),
    [7, 3, 0.325, 9, -40, 1.1],
    "measures",
    1e-12,
  );
  for (const measure of [firstGap, firstRatio, lastFinished, longest, leastKl, rewardsApart]) {
    assert.ok(Number.isNaN(measure.of(runOf({}))), measure.name);
  }
  assert.ok(
    Number.isNaN(rewardsApart.of(runOf({ "rewards/a/mean": [1] }, { a: 1 }))),
    "one reward",
  );
});

Deno.test("each mistake has an arm beside one that differs from it by that alone", () => {
  const settings = new Map(
    faults.arms.map(({ name, request }) => [name, request.settings as Record<string, unknown>]),
  );
  const differing = (a: string, b: string) =>
    Object.keys(settings.get(a)!).filter((key) => settings.get(a)![key] !== settings.get(b)![key]);
  for (const name of ["unshifted", "end as padding", "late binding"]) {
    assert.deepEqual(differing(name, "PPO"), ["fault"], name);
  }
  assert.deepEqual(differing("k1 as a loss", "GRPO with k3"), ["klGradient"]);
  assert.deepEqual(differing("problems, left padding", "problems"), ["fault"]);
  const made = [...settings.values()].map(({ fault }) => String(fault));
  assert.deepEqual([...new Set(made)].sort(), [...FAULT_NAMES].sort());
});

Deno.test("the answer says by numbers what each costs, and how one would notice", () => {
  const run = (arm: string, exact: number, metrics: Record<string, number[]>) =>
    [1, 2, 3].map((seed) => ({
      arm,
      seed,
      run: runOf(metrics, { exact: 1, format: 1 }, exact + seed / 1000),
    }));
  const columns = (gap: number, ended: number, apart: number) => ({
    ...{ "sampling/logp_difference_max": [gap], "policy/ratio": [gap + 1], "score/mean": [0.5] },
    ...{ "tokens/finished_share": [ended], "rewards/exact/mean": [apart] },
    ...{ "rewards/format/mean": [0], "kl/reference": [1], "tokens/responses_len_mean": [4] },
  });
  const said = faults.answer(
    new Results([
      ...run("PPO", 0.9, columns(0.000004, 1, 0.8)),
      ...run("unshifted", 0.5, columns(15, 1, 0.8)),
      ...run("end as padding", 0.3, columns(0, 0.25, 0.8)),
      ...run("late binding", 0.1, columns(0, 1, 0)),
      ...run("GRPO with k3", 0.6, { ...columns(0, 1, 0), "kl/reference": [0.5] }),
      ...run("k1 as a loss", 0.6, columns(0, 1, 0)),
      ...run("problems", 0.6, columns(0, 1, 0)),
      ...run("problems, left padding", 0.2, {
        ...columns(0, 1, 0),
        "kl/reference": [-90],
        "tokens/responses_len_mean": [12],
      }),
    ]),
  ).join("\n");
  for (
    const words of [
      /unshifted and PPO: exact after .*: PPO is higher/,
      /in nats, 15\.0+.*, in the right form 0\.000004.*; the mean ratio there is 16\.0+/,
      /end as padding and PPO: exact after .*: PPO is higher/,
      /that end: 0\.250.*, in the right form 1\.000/,
      /late binding and PPO: exact after .*: PPO is higher/,
      /of the two is 0\.000.*, in the right form 0\.800/,
      /k1 as a loss and GRPO with k3: last KL 1\.000.* and 0\.500.*: k1 as a loss is higher/,
      /problems, left padding and problems: reward after .*: problems is higher/,
      /12\.000.* tokens where 4\.000.* were, .* falls to -90\.00.*, in the right form 1\.00/,
    ]
  ) assert.match(said, words);
});
