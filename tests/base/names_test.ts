import assert from "node:assert/strict";
import fc from "fast-check";
import { didYouMean, nearest, unknownName } from "../../base/names.ts";

const NAMES = ["learningRate", "epochs", "klCoefficient", "top_k", "all-linear"];

Deno.test("nearest() finds the name that a mistyped one means", () => {
  for (
    const [word, name] of [
      ["epoch", "epochs"],
      ["EPOCHS", "epochs"],
      ["learning-rate", "learningRate"],
      ["learning_rat", "learningRate"],
      ["lerningRtae", "learningRate"],
      ["topk", "top_k"],
      ["allLinear", "all-linear"],
      ["klCoeficient", "klCoefficient"],
      ["lr", "learningRate"],
      ["LR", "learningRate"],
      ["kc", "klCoefficient"],
      ["al", "all-linear"],
    ]
  ) assert.equal(nearest(word, NAMES), name, word);
});

Deno.test("nearest() takes a clear beginning for one edit, a short one not", () => {
  assert.equal(nearest("learn", NAMES), "learningRate");
  assert.equal(nearest("kl", NAMES), undefined);
  assert.equal(nearest("klc", NAMES), "klCoefficient");
});

Deno.test("nearest() takes an ending for one edit where it is half of the name", () => {
  assert.equal(nearest("gpu", ["auto", "webgpu", "cpu"]), "webgpu");
  assert.equal(nearest("clip", ["scoreClip", "clipLow"]), "clipLow");
});

Deno.test("nearest() gives nothing where all are far off, or nothing is known", () => {
  assert.equal(nearest("temperature", NAMES), undefined);
  assert.equal(nearest("epochs", []), undefined);
  assert.equal(nearest("x", ["y", "ab"]), undefined); // every letter differs
  assert.equal(nearest("", NAMES), undefined);
});

Deno.test("nearest() takes a short word for another where one letter differs, or their order", () => {
  assert.equal(nearest("grpo", ["ppo"]), undefined);
  assert.equal(nearest("sac", ["ppo", "dpo"]), undefined);
  assert.equal(nearest("pp0", ["ppo"]), "ppo");
  assert.equal(nearest("sede", ["seed"]), "seed");
  assert.equal(nearest("s", ["seed", "stop"]), undefined);
});

Deno.test("nearest() prefers fewer edits, and the first of equals", () => {
  assert.equal(nearest("beta2", ["beta1", "beta2"]), "beta2");
  assert.equal(nearest("beta", ["beta1", "beta2"]), "beta1");
});

Deno.test("nearest() finds every name by itself, in any case", () => {
  fc.assert(fc.property(fc.constantFrom(...NAMES), fc.boolean(), (name, upper) => {
    assert.equal(nearest(upper ? name.toUpperCase() : name, NAMES), name);
  }));
});

Deno.test("didYouMean() begins with a space or is empty", () => {
  assert.equal(didYouMean("epoch", NAMES), ' Did you mean "epochs"?');
  assert.equal(didYouMean("zzzzzz", NAMES), "");
});

Deno.test("unknownName() names the nearest, and all", () => {
  const error = unknownName("task", "color", ["colors", "sums"]);
  assert.ok(error instanceof TypeError);
  assert.equal(
    error.message,
    'Cannot find the task "color" as there are only colors, sums; did you mean "colors"?',
  );
  assert.equal(
    unknownName("task", 'a"b', ["colors"]).message,
    'Cannot find the task "a\\"b" as there are only colors',
  );
});
