import assert from "node:assert/strict";
import fc from "fast-check";
import { nearest, unknownName } from "../../base/names.ts";
import { parseRewards } from "../../rewards/parse.ts";

const NAMES = ["exact", "semantic", "format"];

Deno.test("parseRewards() reads names and weights", () => {
  assert.deepEqual(parseRewards("semantic", NAMES), [{ name: "semantic", weight: 1 }]);
  assert.deepEqual(parseRewards(" semantic : 0.5 , exact:-2e-1,format:.25", NAMES), [
    { name: "semantic", weight: 0.5 },
    { name: "exact", weight: -0.2 },
    { name: "format", weight: 0.25 },
  ]);
  assert.deepEqual(parseRewards("exact:0,format", NAMES)[0], { name: "exact", weight: 0 });
});

Deno.test("parseRewards() takes the path of a module, with its spaces and colons", () => {
  assert.deepEqual(parseRewards("./my reward.ts", NAMES), [{ name: "./my reward.ts", weight: 1 }]);
  assert.deepEqual(parseRewards("C:\\x\\a.mts:0.5, exact:2 ,b.js : -1", NAMES), [
    { name: "C:\\x\\a.mts", weight: 0.5 },
    { name: "exact", weight: 2 },
    { name: "b.js", weight: -1 },
  ]);
  assert.throws(
    () => parseRewards("./a.ts:x", NAMES),
    new RangeError(
      'Cannot read the rewards "./a.ts:x" as a weight must be a finite number: ./a.ts has "x"',
    ),
  );
  for (const [text, name] of [["./a,b.ts", "./a"], ["x/y.py:1", "x/y.py"]]) {
    assert.throws(
      () => parseRewards(text, NAMES),
      new TypeError(
        `Cannot read the rewards "${text}" as a reward's file ends in .ts, .mts, .js or .mjs and has no comma ` +
          `in its path: "${name}" does not`,
      ),
    );
  }
});

const BROKEN: [string, Error][] = [
  [
    "semantik",
    new TypeError(
      'Cannot find the reward "semantik" as there are only exact, semantic, format; did you mean "semantic"?',
    ),
  ],
  ["zzz", new TypeError('Cannot find the reward "zzz" as there are only exact, semantic, format')],
  [
    "",
    new TypeError('Cannot read the rewards "" as each part is NAME or NAME:weight: "" has no name'),
  ],
  [
    "exact,",
    new TypeError(
      'Cannot read the rewards "exact," as each part is NAME or NAME:weight: "" has no name',
    ),
  ],
  [
    ":1",
    new TypeError(
      'Cannot read the rewards ":1" as each part is NAME or NAME:weight: ":1" has no name',
    ),
  ],
  [
    "exact,exact:2",
    new TypeError(
      'Cannot read the rewards "exact,exact:2" as each reward may occur once: "exact" comes again',
    ),
  ],
  [
    "exact:x",
    new RangeError(
      'Cannot read the rewards "exact:x" as a weight must be a finite number: exact has "x"',
    ),
  ],
  ["exact:0", new RangeError('Cannot train on the rewards "exact:0" as every weight is 0')],
];
for (const [text, error] of BROKEN) {
  Deno.test(`parseRewards() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseRewards(text, NAMES), error);
  });
}

Deno.test("parseRewards() refuses weights that JavaScript would read but nobody means", () => {
  for (const weight of ["", " ", "NaN", "Infinity", "0x10", "1e999", "1_0", "1:2", "--1", "1e"]) {
    assert.throws(() => parseRewards(`exact:${weight}`, NAMES), RangeError, weight);
  }
});

Deno.test("parseRewards() reads back what was written", () => {
  const weight = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => x !== 0);
  const term = fc.record({ name: fc.constantFrom(...NAMES), weight });
  const terms = fc.uniqueArray(term, { minLength: 1, selector: ({ name }) => name });
  fc.assert(fc.property(terms, (list) => {
    const text = list.map(({ name, weight }) => `${name}:${weight}`).join(",");
    assert.deepEqual(parseRewards(text, NAMES), list.map((term) => ({ ...term })));
  }));
});

Deno.test("nearest() finds slips of the finger and stays silent otherwise", () => {
  assert.equal(nearest("Exact", NAMES), "exact");
  assert.equal(nearest("exatc", NAMES), "exact");
  assert.equal(nearest("semantics", NAMES), "semantic");
  assert.equal(nearest("perplexity", NAMES), undefined);
  assert.equal(nearest("", ["ab"]), undefined);
  assert.equal(nearest("x", []), undefined);
  assert.equal(nearest("colurs", ["colours", "colors"]), "colours", "the first of equals");
});

Deno.test("unknownName() shows control characters as escapes", () => {
  assert.match(unknownName("task", "\x1b[2J", ["colors"]).message, /task "\\u001b\[2J" as/);
});
