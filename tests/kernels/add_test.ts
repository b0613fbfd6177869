import assert from "node:assert/strict";
import { add } from "../../kernels/add.ts";
import { testOnDevices } from "../_devices.ts";
import { checkTwin, wave } from "./_op.ts";

for (const N of [1, 4, 67, 260]) {
  testOnDevices(`add() matches its twin at N=${N}`, (device) =>
    checkTwin(
      device,
      { data: { a: wave(N), b: wave(N, 200, 2), out: wave(N) }, run: (d, b) => add(d, b, { N }) },
      ["out"],
      { rtol: 1e-6 },
    ));
}

testOnDevices("add() reaches every element beyond 65,535 workgroups of 64", async (device) => {
  const N = 65535 * 64 + 3; // no multiple of 4: one element an invocation
  const [a, out] = [device.alloc(N, "a"), device.alloc(N, "out")];
  device.write(a, new Float32Array(N).fill(1.5));
  add(device, { a, b: a, out }, { N });
  const [got] = await device.read(out);
  assert.equal(got.findIndex((y) => y !== 3), -1);
});

testOnDevices("add() rejects an a that is too small", (device) => {
  const a = device.alloc(7, "seven");
  assert.throws(
    () => add(device, { a, b: a, out: a }, { N: 8 }),
    new RangeError('Cannot launch add.forward as a needs 8 elements: "seven" has 7'),
  );
});
