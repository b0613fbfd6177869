import assert from "node:assert/strict";
import { described, excerpt, firstOf, shown } from "../../base/excerpt.ts";

Deno.test("excerpt() leaves short text alone, and says how long a cut one is", () => {
  assert.equal(excerpt("abc", 3), "abc");
  assert.equal(excerpt("abcd", 3), "abc… (4 characters)");
  assert.equal(excerpt("ab🙂", 3), "ab\ufffd… (4 characters)", "no half of a character");
  assert.ok(excerpt("x".repeat(1e6)).length < 250);
});

Deno.test("shown() is JSON, cut; and words where there is none", () => {
  assert.equal(shown({ a: [1] }), '{"a":[1]}');
  assert.equal(shown(undefined), "missing");
  assert.equal(shown("a\nb"), '"a\\nb"');
  assert.equal(shown("abcd", 3), '"abc"… (4 characters)');
  assert.equal(shown([1, 2, 3], 4), "[1,2… (7 characters)");
  const endless: unknown[] = [];
  endless.push(endless);
  assert.equal(shown(endless), "a value that is no JSON");
});

Deno.test("firstOf() says how many more there are", () => {
  assert.equal(firstOf(["a", "b"]), "a; b");
  assert.equal(firstOf(["a", "b", "c"], { most: 2, apart: ", " }), "a, b, and 1 more");
});

Deno.test("described() says a value in a few words, whatever it is", () => {
  const round: Record<string, unknown> = { score: 1 };
  round.self = round;
  const values: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [NaN, "NaN"],
    [7n, "7"],
    [Symbol("x"), "Symbol(x)"],
    ['a "b"\n', '"a \\"b\\"\\n"'],
    ["x".repeat(200), `"${"x".repeat(80)}…"`],
    [() => 1, "a function"],
    [[1, 2], "a list of 2"],
    [{}, "an empty object"],
    [Object.create(null), "an empty object"],
    [round, "an object with score, self"],
  ];
  for (const [value, text] of values) assert.equal(described(value), text);
});
