/** Functions as rewards: which of the two kinds one is, and what is said where it is neither. @module */
import assert from "node:assert/strict";
import { combine } from "../../rewards/combine.ts";
import { functionReward, type RewardFunction } from "../../rewards/own.ts";
import type { Example, RewardBatch } from "../../rewards/reward.ts";
import { batch } from "./_words.ts";

const score = (of: unknown, what: RewardBatch) =>
  combine([{ reward: functionReward("mine", of as RewardFunction), weight: 1 }]).score(what);

Deno.test("a function of a batch gives an array, one of a completion a number", async () => {
  const three = batch(["a", "bcd", ""], ["x", undefined, "y"]);
  assert.deepEqual(
    await score(({ completions }: RewardBatch) => completions.map((t) => t.length), three),
    [
      1,
      3,
      0,
    ],
  );
  assert.deepEqual(
    await score(
      (b: RewardBatch) => Promise.resolve(b.examples.map(({ answer }) => answer ? 1 : null)),
      three,
    ),
    [1, null, 1],
  );
  assert.deepEqual(await score((text: string) => text.length, three), [1, 3, 0]);
  assert.deepEqual(await score((text: string) => text.includes("b") ? 2 : null, three), [
    null,
    2,
    null,
  ]);
  assert.deepEqual(
    await score(
      async (text: string, { answer }: { answer?: string }) =>
        await Promise.resolve(answer === undefined ? null : text.length),
      three,
    ),
    [1, null, 0],
  );
  assert.deepEqual(await score(() => assert.fail("it is asked nothing"), batch([])), []);
});

Deno.test("a function is told by its first batch, and never tried again; one of two parameters not at all", async () => {
  const seen: unknown[] = [];
  const one = functionReward("one", (text: unknown) => (seen.push(text), String(text).length));
  const two = batch(["ab", "c"]);
  assert.deepEqual(await one.score(two), [2, 1]);
  assert.deepEqual(await one.score(two), [2, 1]);
  assert.deepEqual(seen, [two, "ab", "c", "ab", "c"]);
  const pairs: unknown[] = [];
  const both = functionReward(
    "both",
    (text: string, example: Example) => (pairs.push(text, example), 1),
  );
  await both.score(two);
  assert.deepEqual(pairs, ["ab", two.examples[0], "c", two.examples[1]]);
  let calls = 0;
  const fails = functionReward("fails", ({ completions }: RewardBatch) => {
    if (calls++ > 0) throw new Error("the server is down");
    return completions.map(() => 1);
  });
  assert.deepEqual(await fails.score(two), [1, 1]);
  await assert.rejects(fails.score(two), new Error("the server is down"));
});

Deno.test("a function that is neither is told what it gave for either", async () => {
  const two = batch(["ab", "c"]),
    why = "Cannot score by the reward mine: it must give an array of values " +
      "for a batch, or a number or null for a completion: for a batch it ";
  const cases: [unknown, string][] = [
    [() => undefined, "gave undefined, for a completion it gave undefined"],
    [() => "high", 'gave "high", for a completion it gave "high"'],
    [
      ({ completions }: RewardBatch) => completions.map((text) => text.length * undefinedName()),
      "threw Error: no such name (@), for a completion it threw TypeError: Cannot read properties of " +
      "undefined (reading 'map') (@)",
    ],
  ];
  for (const [of, said] of cases) {
    await assert.rejects(score(of, two), (error: Error) => {
      assert.equal(error.name, "ScoreError");
      assert.equal(error.message.replaceAll(/ \(own_test\.ts:\d+:\d+\)/g, " (@)"), why + said);
      return true;
    });
  }
  await assert.rejects(
    score(({ completions }: RewardBatch) => completions.slice(1).map(() => 1), two),
    {
      name: "RangeError",
      message: "Cannot use the reward mine as it must give 2 values: it gave 1",
    },
  );
  await assert.rejects(score((text: string) => text.length / 0, two), /row 0 has Infinity$/);
});

function undefinedName(): number {
  throw new Error("no such name");
}
