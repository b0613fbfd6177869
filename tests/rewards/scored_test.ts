/** The rewards that ask another model: sentiment and perplexity, by stand-ins whose numbers are known. */
import assert from "node:assert/strict";
import type { SentimentClassifier, TextScorer } from "../../rewards/reward.ts";
import { assertClose } from "../_close.ts";
import { open, scores } from "./_open.ts";

Deno.test("sentiment by VADER: the worked sum of a sentence, null for nothing", async () => {
  const reward = await open("sentiment");
  const of = (sum: number) => sum / Math.sqrt(sum * sum + 15);
  const texts = [
    "The soup was good.", // good 1.9
    "The soup was VERY good!", // 1.9 + 0.293 + 0.733, and 0.292 for the mark
    "The soup was not bad.", // bad -2.5, times -0.74
    "The soup was bad, but the bread was good.", // -2.5 / 2 + 1.5 * 1.9
    "The train leaves.",
    " \n",
  ];
  const want = [of(1.9), of(1.9 + 0.293 + 0.733 + 0.292), of(1.85), of(-1.25 + 2.85), 0];
  const got = await scores(reward, texts);
  assert.equal(got.pop(), null);
  assertClose(got as number[], want, "compound", 1e-12);
  assert.deepEqual(reward.takeCounts!(), { empty: 1, neutral: 1 });
});

Deno.test("sentiment by a classifier asks it for the texts there are, and keeps their places", async () => {
  const asked: string[][] = [];
  const classifier: SentimentClassifier = {
    name: "stub",
    score(texts) {
      asked.push([...texts]);
      return Promise.resolve(texts.map(({ length }) => length / 10));
    },
  };
  const names: string[] = [];
  const reward = await open("sentiment", { model: "a/b" }, {
    openClassifier(name) {
      names.push(name);
      return Promise.resolve(classifier);
    },
  });
  assert.deepEqual(await scores(reward, ["", "abc", " ", "a"]), [null, 0.3, null, 0.1]);
  assert.deepEqual(await scores(reward, ["", " "]), [null, null]); // nothing is asked
  assert.deepEqual([names, asked], [["a/b"], [["abc", "a"]]]);
  assert.deepEqual(reward.takeCounts!(), { empty: 4, neutral: 0 });
  await assert.rejects(
    open("sentiment", { model: "a/b" }),
    new TypeError(
      "Cannot score sentiment by a/b as a classifier needs a device: give one beside it",
    ),
  );
});

/** Every character costs ln 50; `prompts` are those that were asked with. */
function stub(prompts: string[][] = []): TextScorer {
  return {
    name: "stub",
    perTokenNll(before, completions) {
      prompts.push([...before]);
      return Promise.resolve(completions.map(({ length }) => ({
        sum: length * Math.log(50),
        tokens: length,
        cut: length > 5,
      })));
    },
  };
}

Deno.test("perplexity gives 1 at its scale, by the mean over the tokens, null without any", async () => {
  const reward = await open("perplexity", {}, { openScorer: () => Promise.resolve(stub()) });
  const got = await scores(reward, ["a", "abcd", "", "abcdef"]);
  assert.equal(got[2], null);
  assertClose(got.filter((x) => x !== null), [1, 1, 1], "perplexity 50", 1e-12);
  assert.deepEqual(reward.takeCounts!(), { unscored: 1, cut: 1 });
});

Deno.test("perplexity maps as published: 2 / (1 + ppl / 50), and 30 for the response alone", async () => {
  const certain: TextScorer = {
    name: "certain",
    perTokenNll: (_, all) => Promise.resolve(all.map(() => ({ sum: 0, tokens: 3 }))),
  };
  const of = async (scorer: TextScorer, settings = {}) =>
    await scores(
      await open("perplexity", settings, { openScorer: () => Promise.resolve(scorer) }),
      ["abc"],
      { prompt: "p" },
    ) as number[];
  assertClose(await of(certain), [2 / (1 + 1 / 50)], "ppl 1", 1e-12); // 1.961
  assertClose(await of(stub(), { scale: 30 }), [2 / (1 + 50 / 30)], "scale 30", 1e-12);
  const prompts: string[][] = [];
  await of(stub(prompts), { context: "alone" });
  await of(stub(prompts));
  assert.deepEqual(prompts, [[""], ["p"]]);
  const never: TextScorer = {
    ...certain,
    perTokenNll: (_, all) => Promise.resolve(all.map(() => ({ sum: 3000, tokens: 3 }))),
  };
  assert.deepEqual(await of(never), [0]); // exp(1000) is infinite
});

Deno.test("perplexity asks for the model that is set, once, and refuses what loses one", async () => {
  const names: string[] = [];
  const context = {
    openScorer(name: string) {
      names.push(name);
      return Promise.resolve(stub());
    },
  };
  await scores(await open("perplexity", {}, context), ["a"]);
  await scores(await open("perplexity", { model: "policy" }, context), ["a"]);
  assert.deepEqual(names, ["reference", "policy"]);
  const short = { name: "short", perTokenNll: () => Promise.resolve([]) };
  const reward = await open("perplexity", {}, { openScorer: () => Promise.resolve(short) });
  await assert.rejects(
    scores(reward, ["a"]),
    new RangeError("Cannot score as short must give 1 results: got a list of 0"),
  );
  await assert.rejects(
    open("perplexity"),
    new TypeError(
      "Cannot score perplexity by reference as a language model needs a device: give one beside it",
    ),
  );
});
