import assert from "node:assert/strict";
import type { Device, HostArray } from "../../kernels/device.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { matmul, type MatmulDims, type MatmulVariant } from "../../kernels/matmul.ts";
import { type Asked, productKernel, tileShapeOf } from "../../kernels/matmul_choice.ts";
import { upload } from "../../kernels/tensor.ts";
import { type TileShape, tileText } from "../../kernels/tile_text.ts";
import { hasShuffles, shuffleLanes, unrollsLoads } from "../../kernels/tuning.ts";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import { assertClose } from "../_close.ts";
import { lacking, testOnDevices, testOnWebGpu } from "../_devices.ts";
import { CANARY, wavesOf } from "./_waves.ts";

const wave = wavesOf(0.7);

/** Ragged in each dimension that may be; what lies behind rows of a, rows of out and b is no number. */
const sizes: MatmulDims[] = [
  { M: 71, N: 100, K: 23, orientation: "NN", ldA: 28, atA: 4, ldOut: 108, atOut: 4 },
  { M: 71, N: 101, K: 28, orientation: "NT", ldA: 28, ldOut: 108 },
  { M: 71, N: 100, K: 23, orientation: "TN", ldA: 80, atA: 4, accumulate: true },
  { M: 1, N: 4, K: 1, orientation: "NN", ldA: 4 },
];

/** out of one product, whole. */
async function run(device: Device, dims: MatmulDims): Promise<HostArray> {
  const { M, N, K, orientation, ldA = 0, atA = 0, ldOut = N } = dims;
  const [rows, width] = orientation === "TN" ? [K, M] : [M, K];
  const a = new Float32Array(rows * ldA + 16).fill(NaN);
  for (let i = 0; i < rows * ldA; i++) {
    const column = i % ldA - atA;
    if (column >= 0 && column < width) a[i] = Math.sin(i * i * 0.7);
  }
  const b = new Float32Array(N * K + 16).fill(NaN);
  b.set(wave(N * K, 1, 5));
  const out = upload(device, new Float32Array(M * ldOut + 16).fill(CANARY), "out");
  matmul(device, { a: upload(device, a, "a"), b: upload(device, b, "b"), out }, dims);
  return (await device.read(out))[0];
}

/** Every tile of a kernel against the twin, and bit for bit against the tile of 16 rows and 4 columns. */
async function checkShapes(
  device: Device,
  variant: MatmulVariant,
  shapes: readonly TileShape[],
): Promise<void> {
  using cpu = new CpuDevice();
  for (const size of sizes) {
    const want = await run(cpu, size), first = await run(device, { ...size, variant: "tile" });
    for (const shape of shapes) {
      const what = `${variant} ${shape.rows} x ${shape.columns} ${JSON.stringify(size)}`;
      const got = await run(device, { ...size, variant, shape });
      assertClose(got, want, what, size.accumulate ? 1e-3 : 5e-5);
      if (device.software) assert.deepEqual(got, first, `other bits: ${what}`);
    }
  }
}

const shape = (rows: number, columns: number): TileShape => ({ rows, columns });

testOnWebGpu("matmul() tile gives the same bits whatever its size", async () => {
  using device = await WebGpuDevice.open();
  await checkShapes(device, "tile", [shape(8, 4)]);
});

testOnWebGpu("matmul() workgroup gives the bits of the register tile", async () => {
  using device = await WebGpuDevice.open();
  await checkShapes(device, "workgroup", [shape(64, 64), shape(128, 128)]);
});

testOnWebGpu("matmul() shuffle gives the bits of the register tile", async () => {
  using device = await WebGpuDevice.open({ adapter: "software" });
  await checkShapes(device, "shuffle", [shape(8, 4), shape(16, 8), shape(32, 8), shape(64, 8)]);
}, await lacking("eight lanes"));

Deno.test("matmul() takes a larger tile for a larger product, where a load costs once a lane", () => {
  const taken: [M: number, N: number, K: number, of8: string, of16: string][] = [
    [8, 512, 512, "8 x 4 by 8: 1, 16", "8 x 4 by 8: 1, 16"],
    [16, 512, 512, "16 x 8 by 8: 1, 8", "16 x 8 by 16: 1, 4"],
    [8, 768, 3072, "8 x 8 by 8: 1, 12", "8 x 8 by 8: 1, 12"],
    [63, 768, 3072, "32 x 8 by 8: 2, 12", "32 x 8 by 16: 2, 6"],
    [65, 768, 3072, "32 x 8 by 8: 3, 12", "64 x 4 by 16: 2, 12"],
    [1024, 768, 3072, "32 x 8 by 8: 32, 12", "64 x 4 by 16: 16, 12"], // down where b is touched ahead
    [1024, 512, 512, "32 x 8 by 8: 8, 32", "64 x 4 by 16: 8, 16"], // else along the columns of the larger a
    [4096, 32, 512, "16 x 4 by 8: 1, 256", "16 x 4 by 8: 1, 256"], // no columns for more lanes
  ];
  const asked: Asked = {
    ...{ orientation: "NN", epilogue: "plain", dtype: "f32" },
    ...{ accumulate: false, isTileable: true },
  };
  const of = (features: string[], M: number, N: number, K: number) => {
    const size = { orientation: "NN", M, N, K } as const;
    const adapter = { software: true, features: new Set(features) };
    const { rows, columns } = tileShapeOf("shuffle", size, {
      ...{ lanes: shuffleLanes(adapter), unrolled: unrollsLoads(adapter) },
    });
    const { kernel, groups } = productKernel(adapter, size, asked);
    const lanes = kernel.workgroup as 8 | 16, text = tileText({ rows, columns }, lanes);
    assert.ok(kernel.code.includes(text), `${M} ${N} ${K}`);
    assert.equal(groups.at(2), 1);
    return `${rows} x ${columns} by ${lanes}: ${groups[0]}, ${groups[1]}`;
  };
  for (const [M, N, K, of8, of16] of taken) {
    assert.equal(of(["subgroups-8"], M, N, K), of8);
    assert.equal(of(["subgroups-8", "subgroups-16"], M, N, K), of16);
  }
  const unrolled = (M: number, N: number, K: number) =>
    of(["subgroups-8", "unrolled-loads"], M, N, K);
  assert.equal(unrolled(8, 768, 3072), "8 x 4 by 8: 1, 24");
  assert.equal(unrolled(16, 512, 512), "16 x 4 by 8: 1, 16");
  assert.equal(unrolled(17, 512, 512), "32 x 4 by 8: 1, 16");
  assert.equal(unrolled(1024, 768, 3072), "32 x 4 by 8: 32, 24"); // touched ahead, of 32 columns too
  assert.equal(unrolled(1024, 512, 512), "32 x 4 by 8: 16, 32");
});

testOnDevices(
  "matmul() meets an infinite last k once, whatever the last step holds",
  async (device) => {
    const [M, N, K] = [20, 36, 21];
    const variants: (MatmulVariant | undefined)[] = device.kind === "cpu"
      ? [undefined]
      : ["plain", "tile", "workgroup", ...(hasShuffles(device) ? ["shuffle" as const] : [])];
    const data = wave(K * M, 1, 3).fill(Infinity, (K - 1) * M);
    const a = upload(device, data, "a"), b = upload(device, wave(K * N, 1, 5).map(Math.abs), "b");
    for (const variant of variants) {
      const out = device.alloc(M * N, "out");
      matmul(device, { a, b, out }, { M, N, K, orientation: "TN", variant });
      const [got] = await device.read(out);
      assert.ok(got.every((x) => x === Infinity), variant); // Infinity * 0 were no number
    }
  },
);

testOnDevices("matmul() gives a row the same bits in a batch of any size", async (device) => {
  const [N, K] = [512, 512]; // 40 rows take a large tile, 5 the smallest
  for (const orientation of ["NN", "NT"] as const) {
    const dims = { N, K, orientation, ldA: K };
    const whole = await run(device, { ...dims, M: 40 });
    for (const M of [5, 12]) {
      const part = await run(device, { ...dims, M });
      assert.deepEqual(part.subarray(0, M * N), whole.subarray(0, M * N), `${orientation} ${M}`);
    }
  }
});

testOnWebGpu(
  "matmul() that touches b ahead gives the same bits, and reads nothing that counts",
  async () => {
    using device = await WebGpuDevice.open({ adapter: "software" });
    for (const [M, N, K] of [[19, 516, 1030], [40, 1024, 512], [70, 516, 2060]]) {
      const size: MatmulDims = { M, N, K, orientation: "NN", ldA: Math.ceil(K / 4) * 4 };
      const { kernel } = productKernel(device, size, {
        ...{ orientation: "NN", epilogue: "plain", dtype: "f32", accumulate: false },
        isTileable: true,
      });
      assert.equal(kernel.constants!.AHEAD, 1);
      const got = await run(device, size);
      const plain = await run(device, { ...size, variant: "tile" });
      assert.ok(got.every((x, i) => x === plain[i]), `${M} ${N} ${K}`);
    }
  },
  await lacking("eight lanes"),
);

testOnWebGpu(
  "matmul() that touches b ahead keeps a NaN of any bits to its column",
  async () => {
    using device = await WebGpuDevice.open({ adapter: "software" });
    const [M, N, K] = [33, 512, 1024];
    const numbers = wave(N * K, 1, 5), a = upload(device, wave(M * K, 1, 3), "a");
    const b = upload(device, numbers, "b"), out = device.alloc(M * N, "out");
    matmul(device, { a, b, out }, { M, N, K, orientation: "NN" });
    const [want] = await device.read(out);
    for (let k = 0; k < K; k++) new Uint32Array(numbers.buffer)[k * N] = 0x7fc12345;
    device.write(b, numbers);
    matmul(device, { a, b, out }, { M, N, K, orientation: "NN" });
    const [got] = await device.read(out);
    assert.ok(got.every((x, i) => i % N === 0 ? Number.isNaN(x) : x === want[i]));
  },
  await lacking("eight lanes"),
);
