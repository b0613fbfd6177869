import assert from "node:assert/strict";
import { exact } from "../../rewards/exact.ts";
import { batch } from "./_words.ts";

Deno.test("exact() ignores case and outer white space, and nothing else", async () => {
  const completions = [
    "purple",
    " Purple\n",
    "PURPLE",
    "purple.",
    "pur ple",
    "purpl",
    "",
    "purple",
  ];
  const answers = completions.map((_, i) => (i === 7 ? "  puRPle\t" : "purple"));
  assert.deepEqual(await exact().score(batch(completions, answers)), [1, 1, 1, 0, 0, 0, 0, 1]);
});

Deno.test("exact() gives null where the example has no answer", async () => {
  assert.deepEqual(await exact().score(batch(["", "x"], [undefined, "x"])), [null, 1]);
});
