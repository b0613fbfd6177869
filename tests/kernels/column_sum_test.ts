import assert from "node:assert/strict";
import { columnSum, columnSumScratch, rowChunks } from "../../kernels/column_sum.ts";
import { testOnDevices } from "../_devices.ts";
import { checkTwin, outcome, wave } from "./_op.ts";

const buffers = (N: number, C: number) => ({
  x: wave(N * C),
  out: wave(C, 1, 2),
  scratch: wave(columnSumScratch({ N, C }), 777),
});

for (const [N, C] of [[1, 1], [3, 5], [67, 130], [67, 260], [2100, 4]]) { // 2100: chunks of 17 rows
  testOnDevices(`columnSum() matches its twin at N=${N}, C=${C}`, (device) =>
    checkTwin(
      device,
      { data: buffers(N, C), run: (d, b) => columnSum(d, b, { N, C }) },
      ["out"],
      { scratch: ["scratch"] },
    ));
}

testOnDevices("columnSum() adds the plain sum to what was there", async (device) => {
  const data = {
    x: Float32Array.of(1, 2, 3, 10, 20, 30),
    out: Float32Array.of(100, 200, 300),
    scratch: new Float32Array(3),
  };
  const { out } = await outcome(device, {
    data,
    run: (d, b) => columnSum(d, b, { N: 2, C: 3 }),
  });
  assert.deepEqual([...out.subarray(0, 3)], [111, 222, 333]);
});

Deno.test("rowChunks() covers every row once with at most 128 chunks", () => {
  for (const N of [1, 15, 16, 17, 2047, 2048, 2049, 100_000]) {
    const { G, R } = rowChunks(N);
    assert.ok(G <= 128 && G * R >= N && (G - 1) * R < N, `N=${N}: G=${G}, R=${R}`);
  }
});

testOnDevices("columnSum() rejects an x that is too small", (device) => {
  const x = device.alloc(7, "seven");
  assert.throws(
    () => columnSum(device, { x, out: x, scratch: x }, { N: 2, C: 4 }),
    new RangeError('Cannot launch column_sum.chunk as x needs 8 elements: "seven" has 7'),
  );
});
