/** Each fault around a policy or rewards that are small enough to work out by hand. */
import assert from "node:assert/strict";
import { EndAsPaddingPolicy } from "../../../experiment/faults/end_as_padding.ts";
import { bindLate } from "../../../experiment/faults/late_binding.ts";
import { LeftPaddedPolicy, sliceStarts } from "../../../experiment/faults/left_padding.ts";
import { FAULT_NAMES } from "../../../experiment/faults/registry.ts";
import { askedAfterThemselves, UnshiftedPolicy } from "../../../experiment/faults/unshifted.ts";
import { PolicyWrapper } from "../../../experiment/faults/wrapper.ts";
import { checkFault } from "../../../experiment/model_limits.ts";
import { combine } from "../../../rewards/combine.ts";
import type { Policy, SamplingOptions } from "../../../rl/policy.ts";
import { Trainer } from "../../../rl/trainer.ts";
import { assertClose } from "../../_close.ts";
import { EOS, TablePolicy } from "../../rl/_table_policy.ts";

const V = 5, wave = (i: number): number => Math.sin(3 * i);
const ids = (...rows: number[][]): Int32Array[] => rows.map((row) => Int32Array.from(row));

/** log softmax of a row of the table. */
function logprobs({ logits }: TablePolicy, from: number, temperature: number): number[] {
  const z = Array.from(logits.subarray(from * V, (from + 1) * V), (x) => x / temperature);
  const lse = Math.log(z.reduce((sum, x) => sum + Math.exp(x), 0));
  return z.map((x) => x - lse);
}

Deno.test("unshifted: a token's numbers are those of the row that has read it", async () => {
  const table = new TablePolicy(V, wave), policy = new UnshiftedPolicy(table);
  table.values = Float64Array.of(0, 10, 20, 30, 40);
  table.frozen = table.frozen.map((x) => x / 2);
  const batch = {
    prompts: ids([4], [1, 2]),
    responses: ids([2], [3, 1, 2]),
    temperature: 0.5,
  };
  assert.deepEqual(askedAfterThemselves(batch), {
    prompts: ids([4, 2], [1, 2, 3], [1, 2, 3, 1], [1, 2, 3, 1, 2]),
    responses: ids([2], [3], [1], [2]),
    temperature: 0.5,
  });
  const { logprob, entropy, value, kl } = await policy.evaluate(batch, { kl: true });
  const { logprob: reference } = await policy.reference!(batch);
  const slots = [[0, 2], [3, 3], [4, 1], [5, 2]]; // place and token; the grid is (2, 3)
  assert.deepEqual(
    [logprob, entropy, value, kl, reference].map((x) => x!.length),
    Array(5).fill(6),
  );
  for (const [at, token] of slots) {
    const row = logprobs(table, token, 0.5), other = logprobs(table, token, 1); // logits halved
    const p = row.map(Math.exp);
    assertClose([logprob[at], reference[at]], [row[token], other[token]], "logprob", 1e-6);
    assertClose([entropy[at]], [-p.reduce((sum, x, v) => sum + x * row[v], 0)], "entropy", 1e-6);
    assertClose([kl![at]], [p.reduce((sum, x, v) => sum + x * (row[v] - other[v]), 0)], "KL", 1e-6);
    assert.equal(value![at], 10 * token, "of its own place");
  }
  policy.backward({
    dlogprob: Float32Array.of(2, NaN, NaN, 1, 0, 0),
    dvalue: Float32Array.of(5, NaN, NaN, 0, 3, 0),
  });
  const gradient = (from: number) => Array.from(table.dlogits.subarray(from * V, (from + 1) * V));
  for (const [from, weight] of [[3, 1], [2, 2]]) {
    const row = logprobs(table, from, 0.5);
    const want = row.map((l, v) => weight * (Number(v === from) - Math.exp(l)) / 0.5);
    assertClose(gradient(from), want, `of ${from}`, 1e-6);
  }
  assert.deepEqual([0, 1, 4].map((from) => gradient(from).every((x) => x === 0)), [
    ...[true, true, true],
  ]);
  assert.deepEqual([...table.dvalues], [0, 3, 5, 0, 0]);
});

const options: SamplingOptions = { maxNewTokens: 3, temperature: 0.5, seed: 1, stream: 0 };

Deno.test("left padding: a slice begins as many tokens early as its prompt is short", async () => {
  const prompts = ids([1, 2, 3, 4, 2], [1, 2, 3, 4], [4, 3, 2], [3, 1]);
  assert.deepEqual(sliceStarts(prompts), [5, 3, 1, 1]);
  const table = new TablePolicy(V, wave);
  const drawn = await table.generate(prompts, options);
  for (const microbatchRows of [0, 3]) {
    const policy = new LeftPaddedPolicy(table, { microbatchRows });
    const rollout = await policy.generate(prompts, options);
    assert.deepEqual(rollout.prompts, ids([1, 2, 3, 4, 2], [1, 2, 3], [4], [3]));
    const early = [[], [4], [3, 2], [1]];
    assert.deepEqual(
      rollout.responses.map((of) => [...of]),
      drawn.responses.map((of, b) => [...early[b], ...of]),
    );
    assert.deepEqual(rollout.finished, drawn.finished);
    assert.deepEqual(policy.drawn(rollout), drawn.responses, "what is scored");
    const steps = [[], [[3, 4]], [[4, 3], [3, 2]], [[3, 1]]];
    rollout.logprobs.forEach((of, b) => {
      const ofPrompt = steps[b].map(([from, to]) => logprobs(table, from, 0.5)[to]);
      assertClose(of, [...ofPrompt, ...drawn.logprobs[b]], `row ${b}`, 1e-6);
    });
  }
  const other = { ...drawn };
  assert.equal(new LeftPaddedPolicy(table).drawn(other), drawn.responses, "not its own: as it is");
});

Deno.test("end as padding: ends are neither learned from nor, alone, of any weight", async () => {
  const table = new TablePolicy(V, (i) => i % V === EOS ? 1 : 0);
  const policy = new EndAsPaddingPolicy(table, [EOS]);
  const prompts = ids(...Array.from({ length: 40 }, () => [2]));
  const drawn = await table.generate(prompts, options);
  const { responses, logprobs: sampled, finished } = await policy.generate(prompts, options);
  const kinds = { whole: 0, alone: 0, ended: 0 };
  drawn.responses.forEach((of, b) => {
    const kind = !drawn.finished[b] ? "whole" : of.length === 1 ? "alone" : "ended";
    kinds[kind]++;
    const want = kind === "ended" ? of.slice(0, -1) : of;
    assert.deepEqual([responses[b], finished[b]], [want, drawn.finished[b]]);
    assert.deepEqual(sampled[b], drawn.logprobs[b].slice(0, want.length));
  });
  assert.ok(Object.values(kinds).every((count) => count > 0), JSON.stringify(kinds));
  await policy.evaluate({ prompts: ids([2], [3]), responses: ids([EOS], [1, 4]), temperature: 1 });
  policy.backward({
    dlogprob: Float32Array.of(7, NaN, 1, 2),
    dvalue: Float32Array.of(9, NaN, 3, 4),
  });
  assert.deepEqual([...table.dvalues], [0, 4, 0, 3, 0]);
  const gradient = table.gradients[0];
  assert.deepEqual([...gradient.dlogprob], [0, 0, 1, 2]);
  assert.equal(gradient.dentropy, undefined);
});

const of = (name: string, column: (number | null)[], count = 0) => ({
  name,
  score: () => Promise.resolve(column),
  ...(count > 0 && { counts: ["seen"], takeCounts: () => ({ seen: count }) }),
});

Deno.test("late binding: every trained reward is the last one; what is measured stays right", async () => {
  const batch = { prompts: ["", "", ""], completions: ["", "", ""], examples: [] };
  const right = combine([
    { reward: of("first", [1, 2, 3], 4), weight: 2 },
    { reward: of("last", [0.5, 0, null]), weight: 1 },
    { reward: of("measured", [7, 8, 9]), weight: 0 },
  ]);
  const rewards = bindLate(right);
  assert.deepEqual(await rewards.breakdown(batch), {
    total: [1.5, 0, null],
    scores: { first: [0.5, 0, null], last: [0.5, 0, null], measured: [7, 8, 9] },
    weights: { first: 2, last: 1, measured: 0 },
  });
  assert.deepEqual(await rewards.score(batch), [1.5, 0, null]);
  assert.deepEqual([rewards.weights, rewards.takeCounts()], [right.weights, { "first/seen": 4 }]);
});

Deno.test("a wrapper alone changes nothing: the same steps, whatever the algorithm asks for", async () => {
  const prompts = ids([1, 2], [3, 4, 2], [4], [2, 2]);
  const score = ({ responses }: { responses: Int32Array[] }) =>
    Promise.resolve(responses.map((row) => row.filter((id) => id === 3).length));
  for (
    const [algorithm, settings] of Object.entries({
      ppo: { klCoefficient: 0.1, detachValue: true },
      grpo: { groupSize: 2, klCoefficient: 0.1, klEstimator: "full", klGradient: "full" },
      rloo: { groupSize: 2, referenceSync: 2, klCoefficient: 0.1 },
    })
  ) {
    const run = async (wrap: (policy: TablePolicy) => Policy) => {
      const table = new TablePolicy(V, wave), asked = { ...settings, maxNewTokens: 3 };
      const trainer = new Trainer(
        wrap(table),
        { ...asked, totalSteps: 3, learningRate: 0.05 },
        algorithm,
      );
      const rows = [];
      for (let step = 0; step < 3; step++) rows.push((await trainer.step(prompts, score)).metrics);
      return { rows, ...table.save() };
    };
    assert.deepEqual(await run((table) => new PolicyWrapper(table)), await run((table) => table));
  }
});

Deno.test("a policy that lacks something lacks it wrapped", () => {
  const bare = { generate: () => {}, hasValues: false } as unknown as Policy;
  const { reference, syncReference, hasValues, hasKl, lastPass } = new PolicyWrapper(bare);
  assert.deepEqual([reference, syncReference, hasValues, hasKl, lastPass], [
    ...[undefined, undefined, false, undefined, undefined],
  ]);
});

Deno.test("a fault that could go nowhere wrong is refused", () => {
  const check = (fault: string, asked: { ends?: number[]; prompts?: Int32Array[] }) =>
    checkFault({ fault }, { ends: [EOS], prompts: ids([1, 2], [3]), ...asked });
  assert.throws(
    () => check("left-padding", { prompts: ids([1, 2], [3, 4]) }),
    /^RangeError: Cannot train with fault=left-padding as .*: all have 2 tokens; use another task$/,
  );
  assert.throws(
    () => check("end-as-padding", { ends: [] }),
    /^RangeError: Cannot train with fault=end-as-padding as .* has none.*; use another model$/,
  );
  for (const fault of FAULT_NAMES) check(fault, {});
});
