import assert from "node:assert/strict";
import { distinctWithout } from "../../../experiment/eval/distinct.ts";
import { type Figures, figuresOf, type ModelAnswer } from "../../../experiment/eval/figures.ts";

/** An answer with its reward; so many nats for each of its words, which are its tokens. */
function answer(
  completion: string,
  reward: number | null,
  { nats = 1, exact = 0 }: { nats?: number; exact?: number | null } = {},
): ModelAnswer {
  const tokens = completion === "" ? 0 : completion.split(" ").length;
  return {
    ...{ completion, reward, tokens: tokens + 1 },
    scores: { exact, own: reward },
    nats: { sum: nats * tokens, tokens },
  };
}

const prompt = (id: string, base: ModelAnswer[], tuned: ModelAnswer[]) => ({
  ...{ id, prompt: `what is ${id}?`, answer: "", base, tuned },
});

const means = ({ base, tuned, difference }: Figures["reward"]) =>
  [base, tuned, difference].map(({ mean }) => Number(mean.toFixed(6)));

Deno.test("every figure of four prompts, worked out by hand", () => {
  const figures = figuresOf([
    prompt("a", [answer("red red", -1)], [answer("blue", 1, { exact: 1, nats: 3 })]),
    prompt("b", [answer("red", 0.25)], [answer("blue", 0.25, { nats: 2 })]),
    prompt("c", [answer("green sea", 1, { exact: 1 })], [answer("blue sea", 0, { nats: 2 })]),
    prompt("d", [answer("green", null)], [answer("", 2, { exact: null })]),
  ]);
  assert.equal(figures.samples, 1);
  // base 1/4 of 3, tuned 13/4 of 4; of the three pairs 2, 0 and -1
  assert.deepEqual(means(figures.reward), [0.083333, 0.8125, 0.333333]);
  assert.deepEqual(means(figures.rewards.own), means(figures.reward));
  // exact 1 of 4, and 1 of the 3 that have it; both of a, b, c: 1, 0, -1
  assert.deepEqual(means(figures.rewards.exact), [0.25, 0.333333, 0]);
  assert.deepEqual(means(figures.positive), [0.666667, 0.75, 0]);
  assert.deepEqual(means(figures.tokens), [2.5, 2, -0.5]);
  // base: red, green, sea of 6 words, and "red red", "green sea"; tuned: blue, sea of 4, and "blue sea"
  assert.deepEqual(means(figures.distinct1), [0.5, 0.5, 0]);
  assert.deepEqual(means(figures.distinct2), [0.333333, 0.25, -0.083333]);
  // base: 6 nats of 6 tokens; tuned: 3 + 2 + 4 of 4
  assert.deepEqual(means(figures.perplexity), [2.718282, 9.487736, 6.769454]);
  const { interval, ...wins } = figures.wins;
  assert.deepEqual(wins, { wins: 1, ties: 1, losses: 1, rate: 0.5 });
  assert.deepEqual([interval.mean, interval.n], [0.5, 3]);
  assert.deepEqual(figures.unscored, { base: 1, tuned: 0 });
  assert.equal(figures.same, 0);
  assert.deepEqual([figures.tests.t.df, figures.tests.wilcoxon.statistic], [2, 1]);
  const methods = [figures.rewards.exact, figures.reward, figures.distinct1, figures.perplexity];
  assert.equal(figures.perplexity.base.method, "none"); // e in every resample
  assert.deepEqual(methods.map(({ tuned }) => tuned.method), [
    ...["wilson", "bootstrap", "jackknife", "bootstrap"],
  ]);
  assert.equal(figures.rewards.exact.difference.method, "bonett-price");
});

Deno.test("samples of a prompt count as one mean, beside each other by their number", () => {
  const figures = figuresOf([
    prompt("a", [answer("x", 0), answer("y", 1)], [answer("x", 1), answer("z", 0)]),
    prompt("b", [answer("x", 0), answer("x", null)], [answer("x", 1), answer("w", 1)]),
    prompt("c", [answer("x", 1), answer("v", 1)], [answer("u", null), answer("v", 1)]),
  ]);
  assert.equal(figures.samples, 2);
  // base: 1/2, 0, 1; tuned: 1/2, 1, 1
  assert.deepEqual(means(figures.reward), [0.5, 0.833333, 0.333333]);
  assert.equal(figures.reward.base.n, 3);
  // pairs: 1, -1; 1 (the other has no score); the same (the other has none)
  const { interval, ...wins } = figures.wins;
  assert.deepEqual(wins, { wins: 2, ties: 1, losses: 1, rate: 0.625 });
  assert.equal(Number(interval.mean.toFixed(6)), 0.666667); // by prompt: 1/2, 1, 1/2
  assert.deepEqual(figures.unscored, { base: 1, tuned: 1 });
  assert.equal(figures.same, 3);
});

Deno.test("alike models differ by nothing, with no interval where that says nothing", () => {
  const alike = [0.2, 0.4, 0.9].map((reward, i) =>
    prompt(`${i}`, [answer("a b", reward)], [answer("a b", reward)])
  );
  const { reward, tokens, perplexity, tests, wins, same } = figuresOf(alike);
  assert.deepEqual(reward.difference, {
    ...{ mean: 0, low: NaN, high: NaN, n: 3, method: "none" },
  });
  assert.deepEqual([tokens.base.method, perplexity.difference.mean, same], ["none", 0, 3]);
  assert.deepEqual([tests.t.p, tests.wilcoxon.p], [NaN, NaN]);
  assert.deepEqual([wins.ties, wins.rate], [3, 0.5]);
});

Deno.test("answers that do not pair are refused", () => {
  assert.throws(() => figuresOf([]), /needs as many of both models: there are none/);
  const odd = prompt("b", [answer("a", 1)], []);
  assert.throws(
    () => figuresOf([prompt("a", [answer("a", 1)], [answer("a", 1)]), odd]),
    /Cannot compare answers as .*: 1 and 0 to b/,
  );
});

Deno.test("the same seed gives the same intervals, another seed others", () => {
  const prompts = Array.from(
    { length: 20 },
    (_, i) => prompt(`${i}`, [answer("a b", i % 7)], [answer("c", i % 5 + i / 20)]),
  );
  assert.deepEqual(figuresOf(prompts, { seed: 3 }), figuresOf(prompts, { seed: 3 }));
  const [one, other] = [3, 4].map((seed) => figuresOf(prompts, { seed }).reward.difference);
  assert.equal(one.mean, other.mean);
  assert.notEqual(one.low, other.low);
});

Deno.test("distinct-n counts n-grams within a text, per word, and without each prompt", () => {
  // 7 words: the, cat, sat, a, dog; pairs: the cat, cat sat, the dog (one text has none)
  const texts = [["The cat sat"], ["the dog", "a"], ["Cat"]];
  assert.deepEqual(distinctWithout(texts, 1), { whole: 5 / 7, left: [4 / 4, 3 / 4, 5 / 6] });
  assert.deepEqual(distinctWithout(texts, 2), { whole: 3 / 7, left: [1 / 4, 2 / 4, 3 / 6] });
  assert.deepEqual(distinctWithout([[" "], [""]], 1), { whole: NaN, left: [NaN, NaN] });
});
