import assert from "node:assert/strict";
import fc from "fast-check";
import { cosine, unitDistance } from "../../rewards/embeddings/cosine.ts";
import { findReward } from "../../rewards/registry.ts";
import { tableParent } from "../../rewards/parents/table.ts";
import type { TextEmbedder } from "../../rewards/reward.ts";
import { semantic, type SemanticOptions } from "../../rewards/semantic.ts";
import { assertClose } from "../_close.ts";
import { open, scores } from "./_open.ts";
import { batch, space } from "./_words.ts";

/** Embeds a text as the number it spells: the cosine with "1" is that number. */
const angle: TextEmbedder = {
  name: "angle",
  dimensions: 2,
  embed: (texts) =>
    Promise.resolve(texts.map((text) => {
      const cos = parseFloat(text);
      return isNaN(cos) ? null : Float32Array.of(cos, Math.sqrt(1 - cos * cos));
    })),
};
const ones = (n: number) =>
  tableParent(new Map(Array.from({ length: n }, (_, i) => [`${i}`, "1"])));

async function score(completions: string[], options: Partial<SemanticOptions> = {}) {
  const parent = ones(completions.length);
  const reward = semantic({ parent, embedder: angle, ...options });
  return await reward.score(batch(completions));
}

const COSINES = ["1", "0.8", "0.5", "0", "-1"];

Deno.test("semantic() maps cosines as the authors' code does: ((cos + 1) / 2)^4", async () => {
  const want = [1, 0.6561, 0.31640625, 0.0625, 0]; // 0.9^4, 0.75^4, 0.5^4
  assertClose(await score(COSINES) as number[], want, "affine", 1e-6);
});

Deno.test("semantic() maps cosines as the paper does: max(0, cos)^4", async () => {
  const got = await score([...COSINES, "-0.5"], { mapping: "relu" });
  assertClose(got as number[], [1, 0.4096, 0.0625, 0, 0, 0], "relu", 1e-6);
});

Deno.test("semantic() sharpens with the power", async () => {
  assertClose(await score(["0.5"], { power: 1 }) as number[], [0.75], "p = 1", 1e-6);
  assertClose(await score(["0.5"], { power: 2, mapping: "relu" }) as number[], [0.25], "p=2", 1e-6);
});

Deno.test("semantic() treats unknown words as the option says", async () => {
  assert.deepEqual(await score(["?"]), [0]);
  assert.deepEqual(await score(["?"], { oov: "floor" }), [0.0625]);
  assert.deepEqual(await score(["?"], { oov: "floor", power: 2 }), [0.25]);
  assert.deepEqual(await score(["?"], { oov: "floor", mapping: "relu" }), [0]);
  assert.deepEqual(await score(["?"], { oov: "null" }), [null]);
});

Deno.test("semantic() gives null and counts where the parent has no answer or no known word", async () => {
  const parent = tableParent(new Map([["0", "1"], ["1", "1"], ["3", "?"]]));
  const reward = semantic({ parent, embedder: angle, oov: "floor" });
  assert.deepEqual(await reward.score(batch(["1", "?", "1", "1"])), [1, 0.0625, null, null]);
  const counts = { out_of_vocabulary: 1, no_parent_answer: 1, parent_out_of_vocabulary: 1 };
  assert.deepEqual(reward.takeCounts!(), counts);
  const zeros = { out_of_vocabulary: 0, no_parent_answer: 0, parent_out_of_vocabulary: 0 };
  assert.deepEqual(reward.takeCounts!(), zeros, "taking resets");
});

Deno.test("semantic() compares word vectors: 1 for the parent's word in any dress", async () => {
  const parent = tableParent(new Map([..."012345"].map((id) => [id, "one"])));
  const reward = semantic({ parent, embedder: space() });
  const completions = [" One!", "eight", "half", "north", "minus", "nil"];
  const half = ((60 / Math.hypot(60, 104) + 1) / 2) ** 4;
  const got = await reward.score(batch(completions));
  assertClose(got as number[], [1, 0.6561, half, 0.0625, 0, 0.0625], "rewards", 1e-6);
});

Deno.test("semantic() euclidean is one less the distance of both at length 1", async () => {
  // |p - c| is sqrt(2 - 2 cos): 0 at cos 1, 1 at cos 0.5, sqrt(2) at 0, 2 at -1.
  const got = await score(["1", "0.5", "0", "-1", "?"], { mapping: "euclidean", oov: "floor" });
  assertClose(got as number[], [1, 0, 1 - Math.SQRT2, -1, 0], "euclidean", 1e-6);
  const sharp = await score(["0.5", "-1"], { mapping: "euclidean", power: 9 });
  assertClose(sharp as number[], [0, -1], "power changes nothing", 1e-6);
});

Deno.test("semantic() nearest takes the best of the parent's and all accepted answers", async () => {
  const parent = tableParent(new Map([["0", "1"], ["1", "?"]]));
  const of = async (targets: "parent" | "nearest", accepted: string[]) => {
    const reward = semantic({ parent, embedder: angle, targets, power: 1 });
    const examples = ["0", "1", "2"].map((id) => ({ id, prompt: "", accepted }));
    const completions = ["0", "0", "0"];
    const values = await reward.score({ prompts: ["", "", ""], completions, examples });
    return [values, Object.values(reward.takeCounts!())];
  };
  assert.deepEqual(await of("parent", ["0", "-1"]), [[0.5, null, null], [0, 1, 1]]);
  assert.deepEqual(await of("nearest", ["0", "-1"]), [[1, 1, 1], [0, 0, 0]]); // cos with "0" is 1
  assert.deepEqual(await of("nearest", ["?"]), [[0.5, null, null], [0, 0, 2]]);
  assert.deepEqual(await of("nearest", []), [[0.5, null, null], [0, 1, 1]]);
});

Deno.test("semantic() of the first word compares no more: the notebook's cosine, 0 to 1", async () => {
  const parent = tableParent(new Map([..."0123"].map((id) => [id, "one"])));
  const options = { parent, embedder: space(), power: 1 } as const;
  const completions = ["Eight, or minus", "minus one", "north", "... one"];
  const first = await semantic({ ...options, words: "first" }).score(batch(completions));
  assertClose(first as number[], [0.9, 0, 0.5, 0], "first", 1e-6); // "..." is no known word
  const all = await semantic(options).score(batch(completions));
  assert.ok(all[1]! > 0.9 && all[3] === 1);
});

Deno.test("the definition opens semantic with its settings, and knows whose space it is", async () => {
  const parent = tableParent(new Map([["x", "1"]]));
  const by = async (settings: Record<string, string | number>) =>
    await scores(await open("semantic", settings, { parent, embedder: angle }), ["0"], {
      accepted: ["0"],
    });
  assert.deepEqual(await by({}), [0.0625]);
  assert.deepEqual(await by({ mapping: "relu", targets: "nearest" }), [1]);
  assert.deepEqual(await by({ power: 2 }), [0.25]);
  const { encoder, options } = findReward("semantic");
  const encoderOf = (embedder: string) => encoder!(options.resolve({ embedder }));
  assert.equal(encoderOf("words"), undefined);
  for (const file of ["a.txt", "b/numberbatch-en-19.08.txt.gz", "c.VEC"]) {
    assert.equal(encoderOf(file), undefined, file);
    await assert.rejects(
      open("semantic", { embedder: file }, { parent }),
      new TypeError(
        `Cannot embed with ${file} as its file must be read by whoever opens the reward: give openWordVectors`,
      ),
    );
  }
  assert.equal(encoderOf("a/b"), "a/b");
  const asked: unknown[] = [];
  const openWordVectors = (file: string, rows: number) => {
    asked.push(file, rows);
    return Promise.resolve(angle);
  };
  const context = { parent, openWordVectors };
  await open("semantic", { embedder: "a.txt", vectorRows: 7 }, context);
  assert.deepEqual(asked, ["a.txt", 7]);
});

Deno.test("semantic() refuses unknown options", () => {
  const options = { parent: ones(1), embedder: angle };
  const bad = (more: Record<string, unknown>) => () => semantic({ ...options, ...more });
  assert.throws(
    bad({ power: 0 }),
    new RangeError("Cannot sharpen cosines as power must be above 0: it is 0"),
  );
  assert.throws(bad({ power: NaN }), RangeError);
  assert.throws(bad({ power: Infinity }), RangeError);
  assert.throws(bad({ mapping: "toString" }), TypeError);
  assert.throws(bad({ oov: "none" }), TypeError);
});

Deno.test("semantic() refuses a parent or embedder that loses one", async () => {
  const two = batch(["1", "1"]);
  const parent = { name: "short", answer: () => Promise.resolve(["1"]) };
  const embedder = { ...angle, embed: () => Promise.resolve([Float32Array.of(1, 0)]) };
  await assert.rejects(
    semantic({ parent, embedder: angle }).score(two),
    new RangeError("Cannot score as short must give 2 results: got a list of 1"),
  );
  await assert.rejects(
    semantic({ parent: ones(2), embedder }).score(two),
    new RangeError("Cannot score as angle must give 2 results: got a list of 1"),
  );
  const silent = { ...parent, answer: () => Promise.resolve(undefined as never) };
  await assert.rejects(
    semantic({ parent: silent, embedder: angle }).score(two),
    new RangeError("Cannot score as short must give 2 results: got undefined"),
  );
});

const vector = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
  minLength: 3,
  maxLength: 3,
});

Deno.test("cosine() is within [-1, 1], symmetric, 1 with itself, and blind to length", () => {
  fc.assert(fc.property(vector, vector, (a, b) => {
    const cos = cosine(a, b);
    assert.ok(cos >= -1 && cos <= 1);
    assert.equal(cos, cosine(b, a));
    assert.ok(Math.abs(cosine(a.map((x) => 3 * x), b) - cos) < 1e-9);
    assert.ok(Math.abs(cosine(a.map((x) => -x), b) + cos) < 1e-9);
    if (a.some((x) => x !== 0)) assert.ok(Math.abs(cosine(a, a) - 1) < 1e-9);
  }));
});

Deno.test("cosine() is 0 for a vector without length and refuses two lengths", () => {
  assert.equal(cosine([0, 0], [1, 2]), 0);
  assert.equal(cosine([3, 4], [4, 3]), 24 / 25);
  assert.throws(
    () => cosine([1], [1, 2]),
    new RangeError("Cannot compare vectors as they need one length: 1 and 2"),
  );
});

Deno.test("cosine() of a vector with itself never exceeds 1 by rounding", () => {
  for (let seed = 0; seed < 1000; seed++) { // a fifth of these would, unclamped
    const v = Float32Array.from({ length: 3 }, (_, i) => Math.sin(seed * 7.1 + i * 3.3 + 1));
    assert.ok(cosine(v, v) <= 1, `${v}`);
    assert.ok(cosine(v, v.map((x) => -x)) >= -1, `${v}`);
  }
});

Deno.test("unitDistance() is blind to length, 1 from no direction, and refuses two lengths", () => {
  assertClose([unitDistance([3, 0], [0, 0.1])], [Math.SQRT2], "right angle", 1e-12);
  assert.equal(unitDistance([2, 0], [5, 0]), 0);
  assert.equal(unitDistance([1, 0], [-7, 0]), 2);
  assert.equal(unitDistance([0, 0], [5, 0]), 1);
  assert.throws(
    () => unitDistance([1], [1, 2]),
    new RangeError("Cannot compare vectors as they need one length: 1 and 2"),
  );
});
