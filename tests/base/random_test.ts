import assert from "node:assert/strict";
import fc from "fast-check";
import { permutation, philox } from "../../base/random.ts";

Deno.test("philox gives the published test vectors", () => {
  const f = 0xffffffff, hex = (words: number[]) => words.map((w) => w.toString(16)).join(" ");
  assert.equal(hex(philox([0, 0, 0, 0], [0, 0])), "6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  assert.equal(hex(philox([f, f, f, f], [f, f])), "408f276d 41c83b0e a20bc7c6 6d5451fd");
  const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const;
  const got = philox(pi, [0xa4093822, 0x299f31d0]);
  assert.equal(hex(got), "d16cfe09 94fdcceb 5001e420 24126ea1");
});

Deno.test("every permutation has each row once, and depends on seed, step and epoch alone", () => {
  const n = fc.integer({ min: 1, max: 64 }), small = fc.nat({ max: 1000 });
  fc.assert(fc.property(n, small, small, small, (n, seed, step, epoch) => {
    const order = permutation(n, { seed, step, epoch });
    assert.deepEqual([...order].sort((a, b) => a - b), Array.from({ length: n }, (_, i) => i));
    permutation(7, { seed: 9, step: 9, epoch: 9 });
    assert.deepEqual(permutation(n, { seed, step, epoch }), order);
  }));
  const base = permutation(64, { seed: 1, step: 0, epoch: 0 });
  for (const other of [{ seed: 2, step: 0, epoch: 0 }, { seed: 1, step: 1, epoch: 0 }]) {
    assert.notDeepEqual(permutation(64, other), base);
  }
  assert.notDeepEqual(permutation(64, { seed: 1, step: 0, epoch: 1 }), base);
});

Deno.test("each row comes first about equally often", () => {
  const count = new Array(8).fill(0);
  for (let step = 0; step < 4000; step++) count[permutation(8, { seed: 3, step, epoch: 0 })[0]]++;
  // 500 expected, standard deviation 21: five of these.
  for (const c of count) assert.ok(Math.abs(c - 500) < 105, String(count));
});
