/** The programs that pages of docs/reading run: what they ask for, and what they refuse. */
import assert from "node:assert/strict";
import { isUsage } from "../base/usage.ts";
import { resolveRequest } from "../experiment/request.ts";
import { listExperiments, runExperiment } from "../scripts/experiment.ts";
import { watch } from "../scripts/experiments/_run.ts";
import { fullStopRequest, sentences } from "../scripts/experiments/full_stop.ts";
import { countE, letters, lettersRequest } from "../scripts/experiments/letters.ts";
import { exactPlus, METHODS, plusRequest } from "../scripts/experiments/plus_five.ts";

const batch = (answers: readonly string[]) => ({
  prompts: answers.map(() => "p"),
  completions: answers,
  examples: answers.map((_, i) => ({ id: String(i), prompt: "p", answer: "brown" })),
});

Deno.test("every experiment has a name of its own, and says what its words are", async () => {
  const all = await listExperiments();
  assert.deepEqual(all.map(({ name }) => name), ["full_stop", "letters", "plus_five"]);
  for (const { name, doc } of all) assert.match(doc, new RegExp(`: ${name} `));
});

Deno.test("an experiment or a word that is none is refused before anything runs", async () => {
  const refused = async (words: string[], message: RegExp) => {
    await assert.rejects(runExperiment(words), (error: Error) => {
      assert.match(error.message, message);
      return isUsage(error);
    });
  };
  await refused(["leters"], /Cannot find the experiment "leters" .* did you mean "letters"\?/);
  await refused(["letters", "much"], /KL coefficient must be a number: it is "much"/);
  await refused(["letters", "0", "x"], /the seed must be a number: it is "x"/);
  await refused(["letters", "0", "1", "detach"], /did you mean "detached"\?/);
  await refused(["full_stop", "nearness"], /Cannot find the reward "nearness"/);
  await refused(["plus_five", "none", ""], /the extra reward must be a number: it is ""/);
  await refused(["plus_five", "rlo"], /did you mean "rloo"\?/);
});

Deno.test("e's are counted in either case, and exact answers get what is added", async () => {
  assert.equal(countE("Every tree"), 4);
  assert.deepEqual(await letters.score(batch(["eE", "", "x"])), [2, 0, 0]);
  assert.deepEqual(await exactPlus(5).score(batch(["brown", "brown."])), [6, 5]);
  const unknown = { ...batch(["brown"]), examples: [{ id: "a", prompt: "p" }] };
  assert.deepEqual(await exactPlus(5).score(unknown), [null]);
});

Deno.test("each request is what its page says of it", () => {
  for (const price of [0, 0.3]) {
    const { config, needs } = resolveRequest(lettersRequest(price, 2));
    assert.deepEqual([config.seed, config.totalSteps, needs.reference], [2, 20, true]);
    assert.ok(price === 0 ? config.klCoefficient === 1e-9 : config.klCoefficient === price);
    assert.equal(config.detachValue, false);
    assert.equal(resolveRequest(lettersRequest(price, 2, "detached")).config.detachValue, true);
  }
  for (const method of Object.keys(METHODS) as (keyof typeof METHODS)[]) {
    const { config, needs } = resolveRequest(plusRequest(method, 5, 3));
    const { seed, totalSteps, epochs } = config;
    assert.deepEqual([seed, totalSteps, epochs, needs.reference], [3, 20, 1, false]);
    assert.deepEqual([needs.value, needs.groupSize], [false, method === "rloo" ? 4 : 1]);
  }
  assert.equal(resolveRequest(plusRequest("none", 5, 1)).config.batchBaseline, false);
  assert.equal(resolveRequest(plusRequest("batch", 5, 1)).config.batchBaseline, true);
  for (const reward of ["semantic", "exact"] as const) {
    const { rewards } = resolveRequest(fullStopRequest(reward, 1));
    const trained = rewards.filter(({ weight }) => weight !== 0);
    assert.deepEqual(trained.map((one) => "definition" in one && one.definition.name), [reward]);
  }
  const { train, heldout } = sentences.examples;
  assert.deepEqual([train.length, heldout.length], [72, 18]);
  assert.equal(train[0].prompt, "If you blend red with blue, you get");
  assert.equal(train[0].answer, "purple");
});

Deno.test("a watched run tells no summary before its end", () => {
  assert.throws(watch().summary, /Cannot sum up a run as it has not ended/);
});
