import assert from "node:assert/strict";
import { shown } from "../../base/shown.ts";

Deno.test("a value is shown in a few words, whatever it is", () => {
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
  for (const [value, text] of values) assert.equal(shown(value), text);
});
