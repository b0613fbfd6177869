import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device, HostArray } from "../../kernels/device.ts";
import { upload } from "../../kernels/tensor.ts";
import { geluOf, geluSlope } from "../../kernels/gelu_cpu.ts";
import { matmul, type MatmulVariant, type Orientation } from "../../kernels/matmul.ts";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import { assertClose } from "../_close.ts";
import { lacking, testOnDevices, testOnWebGpu } from "../_devices.ts";
import { CANARY, wavesOf } from "./_waves.ts";

const wave = wavesOf(0.7);

/** The textbook triple loop, in doubles. */
function product(
  a: HostArray,
  b: HostArray,
  { M, N, K, orientation, ldA, atA = 0 }: {
    M: number;
    N: number;
    K: number;
    orientation: Orientation;
    ldA?: number;
    atA?: number;
  },
): Float64Array {
  const out = new Float64Array(M * N);
  const ld = ldA ?? (orientation === "TN" ? M : K);
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      for (let k = 0; k < K; k++) {
        out[m * N + n] += a[(orientation === "TN" ? k * ld + m : m * ld + k) + atA] *
          b[orientation === "NT" ? n * K + k : k * N + n];
      }
    }
  }
  return out;
}

const shapes = [[1, 1, 1], [3, 5, 7], [4, 4, 4], [16, 32, 8], [17, 36, 12], [33, 100, 20], [
  150,
  68,
  36,
]];
const orientations: Orientation[] = ["NN", "NT", "TN"];
const isTileable = ([M, N, K]: number[], o: Orientation) =>
  [o === "TN" ? M : K, o === "NT" ? K : N, N].every((n) => n % 4 === 0);

for (const shape of shapes) {
  for (const orientation of orientations) {
    const [M, N, K] = shape;
    const variants: (MatmulVariant | undefined)[] = isTileable(shape, orientation)
      ? ["plain", "tile", undefined]
      : [undefined];
    for (const variant of variants) {
      testOnDevices(
        `matmul() ${orientation} ${variant ?? "by default"} is the product at ${shape}`,
        async (device) => {
          const [a, b] = [wave(M * K, 3), wave(N * K, 2, 5)];
          const want = product(a, b, { M, N, K, orientation });
          const out = upload(device, new Float32Array(M * N + 4).fill(CANARY), "out");
          const x = { a: upload(device, a, "a"), b: upload(device, b, "b"), out };
          matmul(device, x, { M, N, K, orientation, variant });
          const [once] = await device.read(out);
          assertClose(once.subarray(0, M * N), want, "out", 2e-5 * K);
          assert.deepEqual([...once.subarray(M * N)], Array(4).fill(CANARY), "wrote past the end");
          matmul(device, x, { M, N, K, orientation, variant, accumulate: true });
          const [twice] = await device.read(out);
          assertClose(twice.subarray(0, M * N), want.map((v) => 2 * v), "accumulated", 4e-5 * K);
        },
      );
    }
  }
}

testOnWebGpu(
  "matmul() takes the shuffling kernel where subgroups have 8 lanes",
  async () => {
    using device = await WebGpuDevice.open({ adapter: "software" });
    assert.ok(device.features.has("subgroups-8"));
  },
  await lacking("eight lanes"),
);

/** Every epilogue against the triple loop, at a ragged tile. */
async function checkEpilogues(device: Device, variant: MatmulVariant | undefined): Promise<void> {
  const [M, N, K, orientation] = [19, 36, 12, "NN" as const];
  const [a, b, bias, residual, saved] = [
    wave(M * K, 1),
    wave(N * K, 1, 2),
    wave(N, 1, 3),
    wave(M * N, 1, 4),
    wave(M * N, 30, 5), // far into both tails of GELU
  ];
  const ab = product(a, b, { M, N, K, orientation });
  const x = {
    a: upload(device, a, "a"),
    b: upload(device, b, "b"),
    out: device.alloc(M * N, "out"),
  };
  const withBias = { ...x, bias: upload(device, bias, "bias") };
  const dims = { M, N, K, orientation, variant };
  matmul(device, withBias, dims);
  const biased = ab.map((v, i) => v + bias[i % N]);
  assertClose((await device.read(x.out))[0], biased, "biased");
  matmul(device, { ...withBias, residual: upload(device, residual, "residual") }, dims);
  assertClose((await device.read(x.out))[0], biased.map((v, i) => v + residual[i]), "residual");
  const pre = upload(device, saved, "pre");
  matmul(device, { ...x, pre }, { ...dims, activation: "dgelu" });
  const slope = ab.map((v, i) => v * geluSlope(saved[i]));
  assertClose((await device.read(x.out))[0], slope, "dgelu");
  device.write(x.out, residual);
  matmul(device, { ...x, pre }, { ...dims, activation: "dgelu", accumulate: true });
  const added = ab.map((v, i) => (residual[i] + v) * geluSlope(saved[i]));
  assertClose((await device.read(x.out))[0], added, "dgelu, accumulated");
  matmul(device, { ...withBias, pre }, { ...dims, activation: "gelu" });
  const [out, kept] = await device.read(x.out, pre);
  assertClose(kept, biased, "pre");
  assertClose(out, biased.map(geluOf), "gelu");
}
for (const variant of ["plain", "tile", "workgroup", undefined] as const) {
  testOnDevices(
    `matmul() ${variant ?? "by default"} computes each epilogue`,
    (device) => checkEpilogues(device, variant),
  );
}

for (const variant of ["plain", "tile", "workgroup", undefined] as const) {
  testOnDevices(`matmul() ${variant ?? "by default"} scales the product alone`, async (device) => {
    const [M, N, K, orientation] = [19, 36, 12, "NN" as const];
    const before = wave(M * N, 1, 3);
    const out = upload(device, before, "out");
    const [a, b] = [wave(M * K, 1), wave(N * K, 1, 2)];
    const x = { a: upload(device, a, "a"), b: upload(device, b, "b"), out };
    const ab = product(a, b, { M, N, K, orientation });
    const dims = { M, N, K, orientation, variant, scale: -0.3 };
    matmul(device, x, { ...dims, accumulate: true });
    assertClose((await device.read(out))[0], ab.map((v, i) => before[i] - 0.3 * v), "added");
    matmul(device, x, dims);
    assertClose((await device.read(out))[0], ab.map((v) => -0.3 * v), "overwritten");
  });
}

for (const orientation of orientations) {
  testOnDevices(
    `matmul() ${orientation} binds a large weight in row ranges and part of wider rows`,
    async (device) => {
      const sizes = { NN: [6, 8, 300], NT: [6, 300, 8], TN: [300, 8, 6] };
      const [M, N, K] = sizes[orientation];
      const [ldA, ldOut] = [orientation === "TN" ? M + 12 : K + 12, N + 12];
      const a = wave((orientation === "TN" ? K : M) * ldA, 1);
      const b = wave(N * K, 1, 2);
      const before = wave(M * ldOut, 1, 3);
      const out = upload(device, before, "out");
      const x = { a: upload(device, a, "a"), b: upload(device, b, "b"), out };
      const wide = orientation === "TN" ? {} : { ldOut, atOut: 8 };
      matmul(device, x, { M, N, K, orientation, ldA, atA: 8, accumulate: true, ...wide });
      const want = before.slice();
      const ab = product(a, b, { M, N, K, orientation, ldA, atA: 8 });
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          want[orientation === "TN" ? m * N + n : m * ldOut + 8 + n] += ab[m * N + n];
        }
      }
      assertClose((await device.read(out))[0], want, "out", 1e-4);
    },
    // The weight of 300 * 8 numbers needs two bindings. Of the other tensors none is larger.
    { maxBinding: 8192 },
  );
}

testOnDevices("matmul() overwrites without reading: old NaNs do not survive", async (device) => {
  const [M, N, K] = [4, 4, 4];
  const out = upload(device, new Float32Array(M * N).fill(NaN), "out");
  const x = { a: upload(device, wave(16, 1), "a"), b: upload(device, wave(16, 1), "b"), out };
  for (const variant of ["plain", "tile", undefined] as const) {
    device.write(out, new Float32Array(M * N).fill(NaN));
    matmul(device, x, { M, N, K, orientation: "NN", variant });
    assert.ok((await device.read(out))[0].every(Number.isFinite), variant);
  }
});

// K is no multiple of 4, so that the last four k's are partly behind it.
for (const variant of ["plain", "tile", "workgroup", undefined] as const) {
  testOnDevices(
    `matmul() ${variant ?? "by default"} takes nothing that lies behind K`,
    async (device) => {
      const [M, N] = [20, 36];
      for (const K of [1, 2, 3, 5, 6, 7]) {
        for (const orientation of ["NN", "TN"] as const) {
          const ldA = orientation === "TN" ? M : 8, rows = orientation === "TN" ? K : M;
          const a = new Float32Array(rows * ldA + 4 * ldA).fill(NaN), b = wave(N * K + 4 * N, 2, 5);
          const own = wave(rows * ldA, 3);
          for (let i = 0; i < own.length; i++) {
            if (orientation === "TN" || i % ldA < K) a[i] = own[i];
          }
          b.fill(NaN, N * K);
          const what = `${orientation} K ${K}`, dims = { M, N, K, orientation, ldA };
          const x = { a: upload(device, a, "a"), b: upload(device, b, "b") };
          const out = device.alloc(M * N, "out");
          matmul(device, { ...x, out }, { ...dims, variant });
          assertClose((await device.read(out))[0], product(a, b, dims), what, 2e-4);
          // The last row is read again in place of those behind it: nothing times infinity is NaN.
          b[N * (K - 1) + 9] = Infinity;
          if (orientation === "TN") a[M * (K - 1) + 3] = -Infinity;
          device.write(x.a, a);
          device.write(x.b, b);
          matmul(device, { ...x, out }, { ...dims, variant });
          const [got] = await device.read(out), want = product(a, b, dims);
          const bad = [...want].flatMap((v, i) => Number.isFinite(v) ? [] : [i]);
          assert.ok(bad.length > 0 && bad.length < M * N / 2);
          assert.deepEqual(bad.map((i) => got[i]), bad.map((i) => want[i]), what);
          assertClose(
            got.map((v, i) => bad.includes(i) ? 0 : v),
            want.map((v, i) => bad.includes(i) ? 0 : v),
            what,
            2e-4,
          );
        }
      }
    },
  );
}

Deno.test("matmul() in float64 is exact to 1e-12", async () => {
  using device = new CpuDevice({ precision: "f64" });
  const [M, N, K] = [5, 7, 9];
  const a = Float64Array.from({ length: M * K }, (_, i) => Math.sin(i));
  const b = Float64Array.from({ length: N * K }, (_, i) => Math.cos(i));
  const out = device.alloc(M * N, "out");
  const x = { a: upload(device, a, "a"), b: upload(device, b, "b"), out };
  matmul(device, x, { M, N, K, orientation: "NT" });
  const want = product(a, b, { M, N, K, orientation: "NT" });
  assertClose((await device.read(out))[0], want, "out", 1e-12);
});

testOnDevices("matmul() refuses tensors and epilogues that do not fit", (device) => {
  const six = device.alloc(6, "six");
  const x = { a: six, b: six, out: six };
  assert.throws(
    () => matmul(device, x, { M: 2, N: 3, K: 4, orientation: "NN" }),
    new RangeError('Cannot launch matmul.plain as a needs 8 elements: "six" has 6'),
  );
  assert.throws(
    () => matmul(device, { ...x, residual: six }, { M: 2, N: 3, K: 2, orientation: "NN" }),
    new TypeError(
      'Cannot multiply with the residual_add epilogue as it takes "bias residual": "residual" was given',
    ),
  );
  assert.throws(
    () => matmul(device, { ...x, bias: six }, { M: 2, N: 3, K: 2, orientation: "NN", scale: 2 }),
    new TypeError(
      'Cannot multiply with the biased epilogue as it takes "bias" and no scale: "bias" was given',
    ),
  );
  assert.throws(
    () => matmul(device, x, { M: 2, N: 3, K: 2, orientation: "NN", variant: "tile" }),
    /strides and first columns are multiples of 4/,
  );
});
