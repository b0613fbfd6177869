import assert from "node:assert/strict";
import fc from "fast-check";
import {
  alignResponses,
  countTokens,
  gridOfRows,
  keepRows,
  lastToken,
  padRows,
  putRows,
  takeRows,
} from "../../rl/batch.ts";
import { EOS, TablePolicy } from "./_table_policy.ts";

Deno.test("a token that equals the padding id is a token: masks come from lengths alone", () => {
  const grid = alignResponses([Int32Array.of(EOS, 3, EOS), Int32Array.of(EOS)]);
  assert.deepEqual([...grid.mask], [1, 1, 1, 1, 0, 0]);
  assert.deepEqual([...grid.length], [3, 1]);
  assert.equal(lastToken(grid, 0), 2);
  assert.equal(lastToken(grid, 1), 0);
});

Deno.test("changing token t changes no log-probability before t", async () => {
  const policy = new TablePolicy(5, (i) => Math.sin(7 * i));
  const prompts = [Int32Array.of(1, 2)];
  const at = async (response: number[]) => {
    const batch = { prompts, responses: [Int32Array.from(response)], temperature: 1 };
    return (await policy.evaluate(batch)).logprob;
  };
  const base = await at([1, 2, 3, 4]);
  for (let t = 0; t < 4; t++) {
    const response = [1, 2, 3, 4];
    response[t] = 0;
    const changed = await at(response);
    assert.deepEqual(changed.slice(0, t), base.slice(0, t));
    assert.notEqual(changed[t], base[t]);
  }
});

Deno.test("rows left out count for nothing, and keep their place and length", () => {
  const grid = keepRows(alignResponses([[1, 2], [3], [4, 5]]), [true, true, false]);
  assert.deepEqual([...grid.mask], [1, 1, 1, 0, 0, 0]);
  assert.deepEqual([...grid.length], [2, 1, 2]);
  assert.equal(lastToken(grid, 2), -1);
  assert.equal(countTokens(grid.mask), 3);
});

Deno.test("padRows() names the row whose length is wrong", () => {
  assert.throws(() => padRows([[1], [1, 2]], alignResponses([[1], [1]])), {
    name: "RangeError",
    message: "Cannot align row 1 as it must have one number a response token, 1: it has 2",
  });
});

Deno.test("any rows taken out and put back are where they were", () => {
  const shape = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(shape, fc.infiniteStream(fc.nat()), (lengths, random) => {
    const rows = lengths.map((n, b) => Array.from({ length: n }, (_, t) => 1 + b * 10 + t));
    const grid = alignResponses(rows), x = padRows(rows, grid);
    const order = lengths.map((_, b) => b).sort(() => random.next().value! % 3 - 1);
    const chosen = order.slice(0, 1 + random.next().value! % order.length);
    const part = gridOfRows(grid, chosen), taken = takeRows(x, grid, chosen);
    assert.equal(taken.length, part.B * part.T);
    assert.equal(part.T, Math.max(...chosen.map((b) => lengths[b])));
    const back = new Float32Array(x.length);
    putRows(back, grid, { rows: chosen, from: taken });
    for (let b = 0; b < rows.length; b++) {
      const row = [...back.slice(b * grid.T, b * grid.T + lengths[b])];
      assert.deepEqual(row, chosen.includes(b) ? rows[b] : row.map(() => 0));
    }
  }));
});
