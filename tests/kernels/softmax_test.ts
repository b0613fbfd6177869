import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device } from "../../kernels/device.ts";
import { upload } from "../../kernels/tensor.ts";
import { softmax, softmaxBackward, softmaxTwin } from "../../kernels/softmax.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";

const wave = (n: number, scale: number, phase = 1) =>
  Float32Array.from({ length: n }, (_, i) => scale * Math.sin(i * i * 0.37 + phase));

/** Outputs start as waves one element too long: the last element must survive. */
async function run(device: Device, { N, V }: { N: number; V: number }, scale: number) {
  const canary = () => upload(device, wave(N * V + 1, 1), "canary");
  const x = {
    x: upload(device, wave(N * V, scale), "x"),
    dout: upload(device, wave(N * V, 1, 2), "dout"),
    out: canary(),
    dx: canary(),
  };
  softmax(device, x, { N, V });
  softmaxBackward(device, x, { N, V });
  const [out, dx] = await device.read(x.out, x.dx);
  for (const array of [out, dx]) {
    assert.equal(array.at(-1), wave(array.length, 1).at(-1), "wrote past the last element");
  }
  return { out: out.subarray(0, N * V), dx: dx.subarray(0, N * V) };
}

for (
  const [N, V, scale] of [[1, 1, 1], [3, 5, 1], [65, 257, 3], [32769, 2, 1], [9, 300, 200]]
) {
  testOnDevices(
    `softmax() matches its twin in f64 at N=${N}, V=${V}, scale ${scale}`,
    async (device) => {
      using exact = new CpuDevice({ precision: "f64" });
      const [got, want] = [await run(device, { N, V }, scale), await run(exact, { N, V }, scale)];
      assertClose(got.out, want.out, "out", 1e-6 + scale * 1e-7);
      assertClose(got.dx, want.dx, "dx", 1e-6 + scale * 1e-7);
      for (let n = 0; n < N; n += 1000) {
        const row = Array.from(got.out.subarray(n * V, n * V + V));
        assertClose([row.reduce((a, b) => a + b)], [1], "sum", 1e-5);
      }
    },
  );
}

Deno.test("softmaxBackward() matches central differences of the twin in f64", async () => {
  using device = new CpuDevice({ precision: "f64" });
  const [N, V, h] = [3, 5, 1e-5], dout = wave(N * V, 1, 2);
  const { dx } = await run(device, { N, V }, 2);
  const loss = (x: Float64Array<ArrayBuffer>) => {
    const out = new Float64Array(N * V);
    softmaxTwin({ x, out }, { N, V });
    return out.reduce((sum, o, i) => sum + o * dout[i], 0);
  };
  const x = Float64Array.from(wave(N * V, 2));
  const want = x.map((a, i) => (loss(x.with(i, a + h)) - loss(x.with(i, a - h))) / (2 * h));
  assertClose(dx, want, "dx", 1e-9);
});

testOnDevices("softmax() rejects a buffer that is too small", (device) => {
  const seven = upload(device, wave(7, 1), "seven");
  assert.throws(
    () => softmax(device, { x: seven, out: seven }, { N: 2, V: 4 }),
    new RangeError('Cannot launch softmax.forward as x needs 8 elements: "seven" has 7'),
  );
});
