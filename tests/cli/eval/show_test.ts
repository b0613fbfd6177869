import assert from "node:assert/strict";
import { evalLines } from "../../../cli/eval/show.ts";
import type { EvalSummary } from "../../../experiment/eval/eval.ts";
import type { EvaluatedRun } from "../../../experiment/eval/run_terms.ts";
import { figuresOf, type ModelAnswer } from "../../../experiment/eval/figures.ts";
import { HOSTILE } from "../_fake.ts";

const answer = (completion: string, reward: number | null): ModelAnswer => ({
  ...{ completion, reward, tokens: 3, nats: { sum: 2, tokens: 1 } },
  scores: { exact: null, semantic: reward, a_reward_of_a_long_name: 12_345.678 },
});

const run: EvaluatedRun = {
  ...{ folder: "runs/a", step: 3, of: 9, which: "last", state: "finished" },
};

/** An evaluation of these answers, base and tuned. */
function shown(
  answers: readonly (readonly [base: ModelAnswer, tuned: ModelAnswer])[],
  more: Partial<EvalSummary> = {},
) {
  const greedy = answers.map(([base, tuned], i) => ({
    ...{
      id: `${i}`,
      prompt: HOSTILE[i % HOSTILE.length],
      answer: "",
      base: [base],
      tuned: [tuned],
    },
  }));
  const source = { kind: "folder", path: "tiny", sha256: {} } as const;
  const summary: EvalSummary = {
    ...{ task: "colors", split: "heldout", prompts: greedy.length, of: greedy.length },
    tuned: { name: "runs/a/checkpoints/step-3", run, source },
    base: { name: "tiny", source },
    weights: { semantic: 1, a_reward_of_a_long_name: 0 },
    ...{ maxNewTokens: 3, temperature: 0.7, seed: 1, seconds: 1 },
    device: { kind: "cpu", name: "fake", software: true },
    greedy: figuresOf(greedy),
    ...more,
  };
  return (columns: number, fancy = false) => evalLines({ summary, greedy }, { columns, fancy });
}

const pairs = Array.from(
  { length: 10 },
  (_, i) => [answer("blue", i / 10), answer("sea green", 1 - i / 20)] as const,
);

Deno.test("lines fit their window, wide and narrow, whatever the texts are", () => {
  const hostile = HOSTILE.map((text, i) =>
    [answer(text, i), answer(`${text}${text}`, -i)] as const
  );
  for (const lines of [shown(pairs), shown(hostile, { task: HOSTILE[0] })]) {
    for (const columns of [40, 60, 80, 120]) {
      for (const line of lines(columns)) {
        assert.ok([...line].length <= columns, `${columns}: ${line}`);
        // deno-lint-ignore no-control-regex -- they must not be there
        assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }
    }
  }
});

Deno.test("the reward that is trained on is told once, one without scores not at all", () => {
  const text = shown(pairs)(100).join("\n");
  assert.match(text, /^reward: semantic$/m);
  assert.doesNotMatch(text, /^(semantic|exact) /m);
  assert.match(text, /^reward {2,}0\.450 \[0\.\d\d, 0\.\d\d\] {2,}0\.775 \[.*\] {2,}\+0\.325 \[/m);
  assert.match(text, /^a_reward_of_a_long_name {2,}12346 {2,}12346 {2,}0\.000$/m);
  assert.match(text, /^distinct-2 .*0\.000 .*0\.050/m);
  assert.match(text, /Of one run: another seed may differ/);
  const both = shown(pairs, { weights: { semantic: 0.5, exact: 1 } })(100).join("\n");
  assert.match(both, /^reward: 0\.5 semantic \+ exact$/m);
  assert.match(both, /^semantic {2,}0\.450/m);
  const model = shown(pairs, {
    tuned: { name: "small", source: { kind: "folder", path: "small", sha256: {} } },
  });
  assert.doesNotMatch(model(100).join("\n"), /Of one run/);
});

Deno.test("who wins, what differs by chance, what has no score, and the extremes", () => {
  const text = shown([...pairs, [answer("x", null), answer("y", 1)]])(100).join("\n");
  assert.match(
    text,
    /^tuned wins 0\.\d+ \[.*\] of pairs, a tie as half: 7 won, 0 tied, 3 lost; 0 say/m,
  );
  assert.match(
    text,
    /^p of the difference in reward: 0\.\d{3} \(paired t\), 0\.\d{3} \(Wilcoxon\)$/m,
  );
  assert.match(text, /^without a score: 1 of base$/m);
  assert.match(text, /^gained most: [^]*^ {2}base {2}blue +0\n {2}tuned sea green +1$/m);
  assert.match(text, /^lost most: [^]*^ {2}base {2}blue +0\.9\n {2}tuned sea green +0\.55$/m);
  const alike = shown(pairs.map(([base]) => [base, base]))(100).join("\n");
  assert.doesNotMatch(alike, /p of the difference|gained most|lost most/);
  assert.match(alike, /^reward .* {2,}0\.000$/m);
  assert.match(alike, /None where all prompts give the same\nnumber/);
});

Deno.test("a run that has not all of its steps is told with how it ended", () => {
  const told = (more: Partial<EvaluatedRun>) => {
    const source = { kind: "folder", path: "tiny", sha256: {} } as const;
    const tuned = { name: "x", source, run: { ...run, ...more } };
    return shown(pairs, { tuned })(300).slice(0, 2);
  };
  assert.deepEqual(told({}), [
    "tuned: runs/a, step 3 of 9 (its last); base: tiny; 10 held-out prompts of colors",
    "reward: semantic",
  ]);
  assert.match(told({ which: "best" })[0], /step 3 of 9 \(its best\);/);
  assert.match(told({ which: "named" })[0], /step 3 of 9; base/);
  const endings: [Partial<EvaluatedRun>, string][] = [
    [{ state: "stopped", cause: "it was killed" }, "runs/a was cut short (it was killed)."],
    [{ state: "failed", cause: "no disk." }, "runs/a failed (no disk)."],
    [{ state: "running" }, "runs/a is still being trained."],
    [{ state: "diverged", good: 3 }, "runs/a diverged: step 3 is from before it went astray."],
    [{ state: "diverged" }, "runs/a diverged: step 3 may be from after it went astray."],
  ];
  for (const [more, words] of endings) assert.equal(told(more)[1], words);
});
