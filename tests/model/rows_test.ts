import assert from "node:assert/strict";
import {
  checkRows,
  fromGrid,
  languageModelRows,
  responseRows,
  type Rows,
  toGrid,
} from "../../model/rows.ts";

Deno.test("languageModelRows() asks each row for the token after it", () => {
  const rows = languageModelRows([[5, 6, 7], [8, 9]]);
  assert.deepEqual([rows.B, rows.T], [2, 2]);
  assert.deepEqual([...rows.tokens], [5, 6, 8, 0]);
  assert.deepEqual([...rows.lengths], [2, 1]);
  assert.deepEqual([...rows.position], [0, 1, 0, 0]);
  assert.deepEqual([...rows.end], [2, 2, 1, 0]);
  assert.deepEqual([...rows.index], [0, 1, 2]);
  assert.deepEqual([...rows.target], [6, 7, 9]);
});

Deno.test("responseRows() takes the log-probability of response token t from the row before it", () => {
  const rows = responseRows({ prompts: [[1, 2, 3], [4]], responses: [[7, 8], [9, 10, 11]] });
  assert.deepEqual([rows.B, rows.T, rows.width], [2, 4, 3]);
  assert.deepEqual([...rows.tokens], [1, 2, 3, 7, 4, 9, 10, 0]);
  assert.deepEqual([...rows.lengths], [4, 3]);
  assert.deepEqual([...rows.index], [2, 3, 4, 5, 6]);
  assert.deepEqual([...rows.target], [7, 8, 9, 10, 11]);
  const grid = toGrid([1, 2, 3, 4, 5], rows);
  assert.deepEqual([...grid], [1, 2, 0, 3, 4, 5]);
  assert.deepEqual([...fromGrid(grid, rows)], [1, 2, 3, 4, 5]);
});

Deno.test("responseRows() takes the value of a token from its own row where that is asked", () => {
  const asked = { prompts: [[1, 2, 3], [4]], responses: [[7, 8], [9, 10, 11]] };
  const rows = responseRows({ ...asked, valueAt: "own" });
  assert.deepEqual([rows.B, rows.T, rows.width], [2, 5, 3]);
  assert.deepEqual([...rows.tokens], [1, 2, 3, 7, 8, 4, 9, 10, 11, 0]);
  assert.deepEqual([...rows.lengths], [5, 4]);
  assert.deepEqual([...rows.index], [2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual([...rows.target].filter((_, r) => r !== 2 && r !== 6), [7, 8, 9, 10, 11]);
  const numbers = [1, 2, 3, 4, 5, 6, 7];
  assert.deepEqual([...toGrid(numbers, rows)], [1, 2, 0, 4, 5, 6]); // those before the tokens
  const values = toGrid(numbers, rows, "valuePlace");
  assert.deepEqual([...values], [2, 3, 0, 5, 6, 7]); // those at the tokens
  assert.deepEqual([...fromGrid([10, 20, 0, 40, 50, 60], rows)], [10, 20, 0, 40, 50, 60, 0]);
  assert.deepEqual([...fromGrid(values, rows, "valuePlace")], [0, 2, 3, 0, 5, 6, 7]);
  // The same alignment for both, unless it is asked for.
  const before = responseRows({ ...asked, valueAt: "before" });
  assert.deepEqual(before, responseRows(asked));
  assert.deepEqual(before.place, before.valuePlace);
});

Deno.test("responseRows() keeps the prompt of an empty response and asks nothing about it", () => {
  const rows = responseRows({ prompts: [[1, 2], [3]], responses: [[], [4]] });
  assert.deepEqual([...rows.lengths], [2, 1]);
  assert.deepEqual([...rows.index], [2]);
});

Deno.test("rows refuse sequences that have no row to ask", () => {
  assert.throws(() => languageModelRows([[1, 2], [3]]), /sequence 1 needs at least 2 tokens/);
  assert.throws(() => languageModelRows([]), /at least one sequence/);
  assert.throws(() => responseRows({ prompts: [[]], responses: [[1]] }), /prompt 0 is empty/);
  assert.throws(() => responseRows({ prompts: [[1]], responses: [] }), /as many of each: 1 and 0/);
});

Deno.test("checkRows() names the first thing that does not fit the model", () => {
  const good = languageModelRows([[1, 2, 3], [4, 5]]);
  const dims = { V: 10, P: 4 };
  checkRows(good, dims);
  checkRows({ ...good, index: Uint32Array.of(0, 1, 0) }, dims); // one row, two targets
  const u32 = (...numbers: number[]) => Uint32Array.from(numbers);
  const wrong: [Partial<Rows>, RegExp][] = [
    [{ tokens: u32(1, 2, 3) }, /it needs B \* T = 4 tokens: it has 3/],
    [{ lengths: u32(2) }, /it needs B = 2 lengths: it has 1/],
    [{ lengths: u32(2, 0) }, /length 1 must be 1 to T = 2: it is 0/],
    [{ lengths: u32(3, 1) }, /length 0 must be 1 to T = 2: it is 3/],
    [{ tokens: u32(1, 2, 10, 0) }, /the model has 10 tokens: token 2 is 10/],
    [{ target: u32(1, 99, 3) }, /the model has 10 tokens: target 1 is 99/],
    [{ target: u32(1) }, /index and target pair up: they have 3 and 1 elements/],
    [{ index: u32(), target: u32() }, /index is empty/],
    [{ index: u32(0, 1, 3) }, /row 3 is padding: sequence 1 has 1 tokens/],
    [{ index: u32(0, 1, 4) }, /row 4 lies outside of it: B \* T is 4/],
    [{ position: u32(0, 4, 0, 0) }, /the model has 4 positions: a sequence has 5 tokens/],
    [{ position: u32(0, 1) }, /it needs B \* T = 4 positions: it has 2/],
    [{ end: u32(2, 2, 1) }, /it needs B \* T = 4 ends: it has 3/],
    [{ end: u32(2, 1, 1, 0) }, /token 1 of 2 must end behind itself.*: it ends at 1/],
    [{ end: u32(3, 2, 1, 0) }, /token 0 of 2 must end behind itself.*: it ends at 3/],
    [{ end: u32(2, 2, 1, 1) }, /token 1 of 1 must end .* padding at 0: it ends at 1/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => checkRows({ ...good, ...change }, dims), message);
  }
});
