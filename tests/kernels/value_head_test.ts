import assert from "node:assert/strict";
import type { Device, Tensor } from "../../kernels/device.ts";
import { valueHead, valueHeadBackward, valueHeadScratch } from "../../kernels/value_head.ts";
import { testOnDevices } from "../_devices.ts";
import { checkGradient, checkTwin, outcome, wave } from "./_op.ts";

const buffers = (N: number, C: number, scale = 1) => ({
  x: wave(N * C, scale),
  weight: wave(C, 1, 2),
  bias: wave(1, 1, 3),
  value: wave(N, 1, 4),
  dvalue: wave(N, 1, 5),
  dx: wave(N * C, 1, 6),
  dweight: wave(C, 1, 7),
  dbias: wave(1, 1, 8),
  scratch: wave(valueHeadScratch({ N, C }), 777),
});
type Buffers = Record<keyof ReturnType<typeof buffers>, Tensor>;
const both = (N: number, C: number) => (device: Device, b: Buffers) => {
  valueHead(device, b, { N, C });
  valueHeadBackward(device, b, { N, C });
};

for (const [N, C, scale] of [[1, 1, 1], [3, 5, 1], [67, 130, 200], [67, 260, 1], [17, 4, 200]]) {
  testOnDevices(
    `valueHead() and its backward match their twins at N=${N}, C=${C}`,
    (device) =>
      checkTwin(
        device,
        { data: buffers(N, C, scale), run: both(N, C) },
        ["value", "dx", "dweight", "dbias"],
        { scratch: ["scratch"] },
      ),
  );
}

testOnDevices("valueHeadBackward() adds nothing for rows without gradient", async (device) => {
  const [N, C] = [20, 6];
  const data = { ...buffers(N, C), dvalue: new Float32Array(N) };
  const got = await outcome(device, { data, run: both(N, C) });
  assert.deepEqual(got.dx.subarray(0, N * C), data.dx);
  assert.deepEqual(got.dweight.subarray(0, C), data.dweight);
  assert.deepEqual(got.dbias.subarray(0, 1), data.dbias);
});

Deno.test("valueHeadBackward() matches central differences of valueHead()", () => {
  const [N, C] = [19, 5]; // 19 rows: more than one chunk
  return checkGradient({
    data: buffers(N, C),
    forward: (device, b) => valueHead(device, b, { N, C }),
    backward: (device, b) => valueHeadBackward(device, b, { N, C }),
    out: "value",
    dout: "dvalue",
    gradients: { x: "dx", weight: "dweight", bias: "dbias" },
  });
});

testOnDevices("valueHead() rejects an x that is too small", (device) => {
  const x = device.alloc(7, "seven");
  assert.throws(
    () => valueHead(device, { x, weight: x, bias: x, value: x }, { N: 2, C: 4 }),
    new RangeError('Cannot launch value_head.forward as x needs 8 elements: "seven" has 7'),
  );
});
