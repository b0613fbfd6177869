import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { ALIGN, align, rowRanges, view } from "../../kernels/tensor.ts";

Deno.test("view() rejects unaligned, empty and overlong windows", () => {
  using device = new CpuDevice();
  const tensor = device.alloc(130, "t");
  for (const [start, length] of [[1, 5], [-64, 5], [64, 67], [64, 0], [0, 1.5], [NaN, 1]]) {
    assert.throws(
      () => view(tensor, start, length),
      new RangeError(
        `Cannot view t[${start}, ${start + length}) as views start at a multiple of 64, are not ` +
          "empty and end inside the tensor: it has 130 elements",
      ),
    );
  }
  assert.deepEqual([align(1), align(64), align(65)], [64, 64, 128]);
});

Deno.test("rowRanges() covers all rows with aligned ranges of like sizes that fit one binding", () => {
  const limits = { maxBinding: 4096, maxBuffer: 2 ** 30 };
  assert.deepEqual(rowRanges(limits, { R: 16, C: 64 }), [[0, 16]]);
  assert.deepEqual(rowRanges(limits, { R: 17, C: 64 }), [[0, 12], [12, 17]]);
  assert.deepEqual(rowRanges(limits, { R: 33, C: 64 }), [[0, 12], [12, 24], [24, 33]]);
  for (const C of [1, 3, 6, 12, 15]) {
    const ranges = rowRanges(limits, { R: 1000, C });
    assert.equal(ranges[0][0], 0);
    assert.equal(ranges.at(-1)![1], 1000);
    for (const [i, [start, end]] of ranges.entries()) {
      assert.ok((end - start) * C * 4 <= 4096 && start * C % ALIGN === 0 && end > start);
      if (i > 0) assert.equal(start, ranges[i - 1][1]);
      if (i < ranges.length - 1) assert.equal(end - start, ranges[0][1]);
    }
  }
  assert.throws(
    () => rowRanges(limits, { R: 1000, C: 63 }),
    new RangeError(
      "Cannot bind 64 rows of 63 elements as one binding holds 4096 bytes: they need 16128",
    ),
  );
});
