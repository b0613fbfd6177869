/** Which prompts a step has, and what of a response is scored. @module */
import assert from "node:assert/strict";
import { evaluatePolicy } from "../../experiment/evaluate.ts";
import { examplesFrom, meanOf, type Scorer, scoreResponses } from "../../experiment/rollout.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { combine } from "../../rewards/combine.ts";
import type { RewardBatch } from "../../rewards/reward.ts";
import type { SamplingOptions } from "../../rl/policy.ts";

const END = 9;
const examples = ["a", "b", "c", "d", "e"].map((id) => ({ id, prompt: `${id}:`, answer: "1 2" }));
/** Token ids as words. */
const tokenizer = {
  decode: (ids: Int32Array) => Array.from(ids).join(" "),
  encode: (text: string) => Int32Array.of(text.charCodeAt(0)),
} as Partial<Tokenizer> as Tokenizer;

/** What a reward was given, and a scorer whose reward gives the number of characters. */
function watched(eos: number | null): { seen: RewardBatch[]; scorer: Scorer } {
  const seen: RewardBatch[] = [];
  const score = (batch: RewardBatch) => {
    seen.push(batch);
    return Promise.resolve(batch.completions.map((text) => text === "" ? null : text.length));
  };
  const rewards = combine([{ reward: { name: "length", score }, weight: 2 }]);
  return { seen, scorer: { tokenizer, eos, rewards } };
}
const responses = [[1, 2, END], [1, 2], [END], [END, 3], [END, END]]
  .map((ids) => Int32Array.from(ids));
const phase = { phase: "train", split: "train" } as const;

Deno.test("a response is scored without the token that ended it, and with every other", async () => {
  const { seen, scorer } = watched(END);
  const rows = await scoreResponses(scorer, { examples, responses, step: 3, phase });
  const texts = ["1 2", "1 2", "", "9 3", "9"];
  assert.deepEqual(seen[0].completions, texts);
  assert.deepEqual(seen[0].prompts, examples.map(({ prompt }) => prompt));
  assert.deepEqual(seen[0].examples, examples);
  assert.deepEqual(rows.map(({ completion }) => completion), texts);
  assert.deepEqual(rows.map(({ reward }) => reward), [6, 6, null, 6, 2]);
  assert.deepEqual(rows.map(({ scores }) => scores.length), [3, 3, null, 3, 1]);
  assert.deepEqual(rows.map(({ scores }) => scores.exact), [1, 1, 0, 0, 0]);
  assert.deepEqual([rows[1].step, rows[1].id, rows[1].answer, rows[1].phase], [
    ...[3, "b", "1 2", "train"],
  ]);
});

Deno.test("where no token ends a response, all of it is scored", async () => {
  const { seen, scorer } = watched(null);
  await scoreResponses(scorer, { examples, responses, step: 0, phase });
  assert.deepEqual(seen[0].completions, ["1 2 9", "1 2", "9", "9 3", "9 9"]);
});

Deno.test("steps go through the training set without a rest, each epoch in another order", () => {
  const at = (step: number, count: number, seed = 1) =>
    examplesFrom(examples, { from: step * count, count, seed }).map(({ id }) => id);
  const steps = Array.from({ length: 5 }, (_, step) => at(step, 3)).flat();
  assert.deepEqual(steps, at(0, 15)); // however it is cut into steps
  const epochs = [steps.slice(0, 5), steps.slice(5, 10), steps.slice(10)];
  for (const epoch of epochs) assert.deepEqual(epoch.toSorted(), ["a", "b", "c", "d", "e"]);
  assert.equal(new Set(epochs.map(String)).size, 3);
  assert.notDeepEqual(at(0, 15, 2), steps);
});

Deno.test("a mean is of what could be scored; of nothing there is none", () => {
  assert.equal(meanOf([1, null, 3]), 2);
  assert.equal(meanOf([null]), NaN);
  assert.equal(meanOf([]), NaN);
});

Deno.test("an evaluation asks greedily, a batch at a time, and keeps the order of its examples", async () => {
  const asked: [Int32Array[], SamplingOptions][] = [];
  const policy = {
    generate(prompts: Int32Array[], options: SamplingOptions) {
      asked.push([prompts, options]);
      const [logprobs, finished] = [[new Float32Array(1)], [true]];
      return Promise.resolve({ prompts, responses: prompts, logprobs, finished });
    },
  };
  const { scorer } = watched(END);
  const request = { ...scorer, policy, examples, maxNewTokens: 4, batchSize: 2 };
  const prompts = new Map([["c", Int32Array.of(7, END)]]);
  const { rows, exact, reward } = await evaluatePolicy({ ...request, prompts });
  assert.deepEqual(asked.map(([prompts]) => prompts.length), [2, 2, 1]);
  for (const [, options] of asked) {
    assert.deepEqual(options, {
      ...{ maxNewTokens: 4, temperature: 1, greedy: true, seed: 0, stream: 0 },
    });
  }
  assert.deepEqual(rows.map(({ completion }) => completion), ["97", "98", "7", "100", "101"]);
  assert.deepEqual(rows.map(({ phase, split, step }) => [phase, split, step]).at(-1), [
    ...["after", "heldout", 0],
  ]);
  assert.deepEqual([exact, reward], [0, (4 + 4 + 2 + 6 + 6) / 5]);
  for (const batchSize of [0, -1, 1.5, NaN]) { // 0 would never come to an end
    const message = `Cannot evaluate a policy as batchSize must be a whole number from 1: it is ` +
      `${batchSize}`;
    await assert.rejects(evaluatePolicy({ ...request, batchSize }), {
      name: "RangeError",
      message,
    });
  }
});
