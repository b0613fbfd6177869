import assert from "node:assert/strict";
import { mix } from "../../kernels/mix.ts";
import { testOnDevices } from "../_devices.ts";
import { checkTwin, outcome, wave } from "./_op.ts";

for (const N of [1, 4, 67, 260]) {
  for (const [alpha, beta] of [[1, 1], [0.6, 0.4], [-2, 0]]) {
    testOnDevices(`mix() matches its twin at N=${N}, ${alpha} and ${beta}`, (device) =>
      checkTwin(
        device,
        {
          data: { x: wave(N, 200, 2), out: wave(N) },
          run: (d, b) => mix(d, b, { N, alpha, beta }),
        },
        ["out"],
        { rtol: 1e-6 },
      ));
  }
}

testOnDevices("mix() with 1 and 0 copies every bit, whatever was there", async (device) => {
  for (const N of [5, 8]) {
    const x = wave(N).fill(-0, 1, 2), out = wave(N).fill(NaN, 0, 2).fill(Infinity, 2, 4);
    const run = await outcome(device, {
      data: { x, out },
      run: (d, b) => mix(d, b, { N, alpha: 1, beta: 0 }),
    });
    const got = [...run.out.subarray(0, N)];
    assert.ok(got.every((y, i) => y === x[i]), `${got}`);
  }
});

testOnDevices("mix() reaches every element beyond 65,535 workgroups of 64", async (device) => {
  const N = 65535 * 64 + 3; // no multiple of 4: one element an invocation
  const [x, out] = [device.alloc(N, "x"), device.alloc(N, "out")];
  device.write(x, new Float32Array(N).fill(1.5));
  device.write(out, new Float32Array(N).fill(2));
  mix(device, { x, out }, { N, alpha: 2, beta: 3 });
  const [got] = await device.read(out);
  assert.equal(got.findIndex((y) => y !== 9), -1);
});

testOnDevices("mix() rejects an x that is too small", (device) => {
  const [x, out] = [device.alloc(7, "seven"), device.alloc(8, "out")];
  assert.throws(
    () => mix(device, { x, out }, { N: 8, alpha: 1, beta: 1 }),
    new RangeError('Cannot launch mix.forward as x needs 8 elements: "seven" has 7'),
  );
});
