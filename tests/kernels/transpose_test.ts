import assert from "node:assert/strict";
import { transpose } from "../../kernels/transpose.ts";
import { testOnDevices } from "../_devices.ts";
import { outcome, wave } from "./_op.ts";

// One four, parts of a workgroup, more than one along either side.
for (const [R, C] of [[4, 4], [8, 36], [40, 12], [68, 132]]) {
  testOnDevices(`transpose() turns rows into columns, ${R} x ${C}`, async (device) => {
    const x = wave(R * C),
      got = await outcome(device, {
        data: { x, out: wave(R * C, 1, 2) },
        run: (d, b) => transpose(d, b, { R, C }),
      });
    const want = wave(R * C).map((_, i) => x[i % R * C + Math.floor(i / R)]);
    assert.deepEqual(got.out.subarray(0, R * C), want);
    assert.equal(got.out.at(-1), -0.5, "wrote past the last element");
  });
}

testOnDevices("transpose() rejects rows and columns that are no fours", (device) => {
  const x = device.alloc(64, "x"), out = device.alloc(64, "out");
  for (const dims of [{ R: 6, C: 4 }, { R: 4, C: 6 }]) {
    assert.throws(
      () => transpose(device, { x, out }, dims),
      new RangeError(
        `Cannot transpose as rows and columns come by fours: they are ${dims.R} and ${dims.C}`,
      ),
    );
  }
});
