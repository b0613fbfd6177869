import assert from "node:assert/strict";
import type { Device, Tensor } from "../../kernels/device.ts";
import { embedding, embeddingBackward } from "../../kernels/embedding.ts";
import { testOnDevices } from "../_devices.ts";
import { flatGroups, groupsIn } from "../_row_groups.ts";
import { hearLaunches } from "./_launches.ts";
import { checkGradient, checkTwin, wave } from "./_op.ts";

interface Dims {
  N: number;
  C: number;
  V: number;
  P: number;
}

function buffers({ N, C, V, P }: Dims) {
  const token = Uint32Array.from({ length: N }, (_, n) => (n * n * 5 + 1) % V); // with repeats
  const position = Uint32Array.from({ length: N }, (_, n) => (n * n * 3 + 2) % P); // in no order
  return {
    token,
    position,
    wte: wave(V * C),
    wpe: wave(P * C, 1, 2),
    out: wave(N * C, 1, 3),
    dout: wave(N * C, 1, 4),
    dwte: wave(V * C, 1, 5),
    dwpe: wave(P * C, 1, 6),
    ...flatGroups("token", token),
    ...flatGroups("position", position),
  };
}
type Buffers = Record<keyof ReturnType<typeof buffers>, Tensor>;
const backward = (dims: Dims) => (device: Device, b: Buffers) => {
  const groups = { tokens: groupsIn("token", b), positions: groupsIn("position", b) };
  embeddingBackward(device, { ...b, ...groups }, dims);
};
const both = (dims: Dims) => (device: Device, b: Buffers) => {
  embedding(device, b, dims);
  backward(dims)(device, b);
};

const SHAPES: Dims[] = [
  { N: 1, C: 1, V: 1, P: 1 },
  { N: 15, C: 6, V: 11, P: 7 },
  { N: 69, C: 132, V: 50, P: 23 },
];
for (const dims of SHAPES) {
  testOnDevices(
    `embedding() and its backward match their twins at ${JSON.stringify(dims)}`,
    (device) =>
      checkTwin(device, { data: buffers(dims), run: both(dims) }, ["out", "dwte", "dwpe"], {
        rtol: 1e-6,
      }),
  );
}

for (const [C, ranges] of [[6, 4], [8, 3]]) { // aligned groups of 32 and of 8 rows
  testOnDevices(
    `embedding() binds a table in ${ranges} row ranges, C=${C}`,
    async (device) => {
      const dims = { N: 27, C, V: C === 6 ? 100 : 130, P: 9 };
      using heard = hearLaunches(device);
      await checkTwin(device, { data: buffers(dims), run: both(dims) }, ["out", "dwte", "dwpe"], {
        rtol: 1e-6,
      });
      assert.equal(heard.launches.length, 2 * ranges + 1);
    },
    { maxBinding: C === 6 ? 1024 : 2048 },
  );
}

Deno.test("embeddingBackward() matches central differences of embedding()", () => {
  const dims = { N: 8, C: 3, V: 5, P: 4 };
  return checkGradient({
    data: buffers(dims),
    forward: (device, b) => embedding(device, b, dims),
    backward: backward(dims),
    out: "out",
    dout: "dout",
    gradients: { wte: "dwte", wpe: "dwpe" },
  });
});

testOnDevices("embedding() rejects a table that is too small", (device) => {
  const x = device.alloc(7, "seven"), t = device.alloc(1, "token", "u32");
  assert.throws(
    () =>
      embedding(device, { token: t, position: t, wte: x, wpe: x, out: x }, {
        N: 1,
        C: 4,
        V: 2,
        P: 1,
      }),
    new RangeError('Cannot launch embedding.forward as wte needs 8 elements: "seven" has 7'),
  );
});
