import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device, Tensor } from "../../kernels/device.ts";
import { embedding, embeddingBackward } from "../../kernels/embedding.ts";
import { tokenIndex } from "../../kernels/token_index.ts";
import { testOnDevices } from "../_devices.ts";
import { checkGradient, checkTwin, wave } from "./_op.ts";

interface Dims {
  B: number;
  T: number;
  C: number;
  V: number;
  P: number;
}

function buffers({ B, T, C, V, P }: Dims) {
  const N = B * T;
  const token = Uint32Array.from({ length: N }, (_, n) => (n * n * 5 + 1) % V); // with repeats
  return {
    token,
    position: Uint32Array.from({ length: N }, (_, n) => n % T),
    wte: wave(V * C),
    wpe: wave(P * C, 1, 2),
    out: wave(N * C, 1, 3),
    dout: wave(N * C, 1, 4),
    dwte: wave(V * C, 1, 5),
    dwpe: wave(P * C, 1, 6),
    ...tokenIndex(token),
  };
}
type Buffers = Record<keyof ReturnType<typeof buffers>, Tensor>;
const both = (dims: Dims) => (device: Device, b: Buffers) => {
  embedding(device, b, { ...dims, N: dims.B * dims.T });
  embeddingBackward(device, b, dims);
};

const SHAPES: Dims[] = [
  { B: 1, T: 1, C: 1, V: 1, P: 1 },
  { B: 3, T: 5, C: 6, V: 11, P: 7 },
  { B: 3, T: 23, C: 132, V: 50, P: 23 },
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
      const dims = { B: 3, T: 9, C, V: C === 6 ? 100 : 130, P: 9 };
      let launches = 0;
      const counted = new Proxy(device, {
        get(target, key) {
          if (key === "launch") launches++;
          const value = Reflect.get(target, key, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      await checkTwin(counted, { data: buffers(dims), run: both(dims) }, ["out", "dwte", "dwpe"], {
        rtol: 1e-6,
      });
      assert.equal(launches, 2 * ranges + 1);
    },
    { maxBinding: C === 6 ? 1024 : 2048 },
  );
}

Deno.test("embeddingBackward() matches central differences of embedding()", () => {
  const dims = { B: 2, T: 4, C: 3, V: 5, P: 4 };
  return checkGradient({
    data: buffers(dims),
    forward: (device, b) => embedding(device, b, { ...dims, N: 8 }),
    backward: (device, b) => embeddingBackward(device, b, dims),
    out: "out",
    dout: "dout",
    gradients: { wte: "dwte", wpe: "dwpe" },
  });
});

Deno.test("tokenIndex() groups rows by token and keeps their order", () => {
  assert.deepEqual(tokenIndex(Uint32Array.of(7, 3, 7, 50256, 3, 3)), {
    order: Uint32Array.of(1, 4, 5, 0, 2, 3),
    start: Uint32Array.of(0, 3, 5, 6, 6, 6, 6),
    distinct: Uint32Array.of(3, 7, 50256, 0, 0, 0),
    count: Uint32Array.of(3),
  });
  assert.deepEqual(tokenIndex(Uint32Array.of(0)).count, Uint32Array.of(1));
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

Deno.test("embeddingBackward() rejects rows longer than the position table", () => {
  using device = new CpuDevice();
  const x = device.alloc(64, "x");
  const all = { dout: x, dwte: x, dwpe: x, order: x, start: x, distinct: x, count: x };
  assert.throws(
    () => embeddingBackward(device, all, { B: 1, T: 5, C: 1, V: 3, P: 4 }),
    new RangeError(
      "Cannot launch embedding.positions as a row has at most 4 positions: T is 5; shorten the rows",
    ),
  );
});
