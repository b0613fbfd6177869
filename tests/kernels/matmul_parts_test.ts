import assert from "node:assert/strict";
import type { Device, HostArray, Launch } from "../../kernels/device.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import {
  matmul,
  type MatmulDims,
  type MatmulVariant,
  type Orientation,
} from "../../kernels/matmul.ts";
import { partFor, partOf, productKernel } from "../../kernels/matmul_choice.ts";
import { partialScratch } from "../../kernels/matmul_parts.ts";
import type { Epilogue } from "../../kernels/matmul_twin.ts";
import { Scope } from "../../kernels/scope.ts";
import { shuffleLanes, unrollsLoads } from "../../kernels/tuning.ts";
import { upload } from "../../kernels/tensor.ts";
import { assertClose } from "../_close.ts";
import { lacking, testOnDevices, testOnWebGpu } from "../_devices.ts";
import { noting } from "./_card.ts";
import { CANARY, wavesOf } from "./_waves.ts";

const wave = wavesOf(0.7);
const EPILOGUES: readonly Epilogue[] = ["plain", "biased", "residual_add", "gelu", "dgelu"];
const ORIENTATIONS: readonly Orientation[] = ["NN", "NT", "TN"];

interface Form extends MatmulDims {
  epilogue?: Epilogue;
  dtype?: "f32" | "f16";
  /** Elements of scratch; as many as are asked for by default. */
  scratch?: number;
}

/**
 * out, pre and scratch of one product, whole. `a` and `out` have wider rows than are used; what lies around
 * a and behind b is no number, around out and behind the scratch are canaries.
 */
async function run(device: Device, form: Form): Promise<HostArray[]> {
  const { epilogue = "plain", dtype, scratch, ...size } = form, { M, N, K, orientation } = size;
  const fours = (n: number) => Math.ceil(n / 4) * 4;
  const [rows, width] = orientation === "TN" ? [K, M] : [M, K];
  const dims = { ...size, ldA: fours(width) + 12, atA: 8, ldOut: fours(N) + 8, atOut: 4 };
  const a = new Float32Array(rows * dims.ldA).fill(NaN), values = wave(rows * width);
  for (let i = 0; i < values.length; i++) {
    a[Math.floor(i / width) * dims.ldA + 8 + i % width] = values[i];
  }
  const b = new Float32Array(N * K + 8).fill(NaN);
  b.set(wave(N * K, 1, 5));
  using scope = new Scope(device);
  const tensor = (data: Float32Array<ArrayBuffer>, label: string, of?: "f32" | "f16") => {
    const made = scope.alloc(data.length, label, of);
    device.write(made, data);
    return made;
  };
  const laidOut = (M + 1) * dims.ldOut;
  const framed = (phase: number) => wave(laidOut, 1, phase).fill(CANARY, M * dims.ldOut);
  const elements = scratch ?? partialScratch(device, dims, size.part);
  const partial = tensor(new Float32Array(elements + 16).fill(CANARY), "partial");
  const out = tensor(framed(3), "out"), pre = tensor(framed(7), "pre");
  const bias = tensor(wave(N + 3, 1, 4), "bias"), residual = tensor(framed(6), "residual");
  const extras: Record<Epilogue, object> = {
    ...{ plain: {}, biased: { bias }, residual_add: { bias, residual } },
    ...{ gelu: { bias, pre }, dgelu: { pre } },
  };
  const activation = epilogue === "gelu" || epilogue === "dgelu" ? epilogue : undefined;
  matmul(device, {
    ...{ a: tensor(a, "a"), b: tensor(b, "b", dtype), out, ...extras[epilogue] },
    partial: { ...partial, length: elements },
  }, { ...dims, activation });
  return await device.read(out, pre, partial);
}

/** Labels of the second steps. */
const combinesOf = (launches: readonly Launch[]): string[] =>
  launches.map(({ kernel }) => kernel.label).filter((label) => label.startsWith("matmul_combine"));

/** Against the twin in f64, with all that lies around. */
async function check(device: Device, form: Form): Promise<void> {
  using exact = new CpuDevice({ precision: "f64" });
  const [got, want] = [await run(device, form), await run(exact, form)];
  const what = JSON.stringify(form);
  assertClose(got[0], want[0], `out ${what}`, 2e-5 * form.K ** 0.5);
  assertClose(got[1], want[1], `pre ${what}`, 2e-5 * form.K ** 0.5);
  assert.ok(got[2].slice(-16).every((x) => x === CANARY), `wrote behind the scratch: ${what}`);
  assert.ok(got[2].slice(0, 4).every((x) => x !== CANARY), `took no parts: ${what}`);
}

/** Sizes whose last part is shorter, and is no whole step; `part` is the shortest, and a longer one. */
const sizes = (orientation: Orientation) =>
  [[1, 4, 9], [19, 36, 45], [70, 101, 140]].flatMap(([M, N, K]) =>
    [8, 32].filter((part) => part < K).map((part) => ({
      ...{ M, orientation, part },
      N: orientation === "NT" ? N : Math.ceil(N / 4) * 4, // rows of b are whole fours
      K: orientation === "NT" ? Math.ceil(K / 4) * 4 : K,
    }))
  );

const VARIANTS: readonly (MatmulVariant | undefined)[] = [undefined, "tile", "workgroup"];

for (const variant of VARIANTS) {
  testOnDevices(`parts of sums: ${variant ?? "the default"} gives the product`, async (device) => {
    for (const orientation of ORIENTATIONS) {
      for (const size of sizes(orientation)) await check(device, { ...size, variant });
    }
  });

  testOnDevices(`parts of sums: ${variant ?? "the default"} has each epilogue`, async (device) => {
    for (const epilogue of EPILOGUES) {
      const adds = epilogue === "plain" || epilogue === "dgelu" ? [false, true] : [false];
      for (const accumulate of adds) {
        const form = { M: 19, variant, epilogue, accumulate, part: 24 };
        const scale = epilogue === "plain" ? -0.3 : 1;
        await check(device, { ...form, scale, N: 36, K: 61, orientation: "NN" });
        await check(device, { ...form, scale, N: 37, K: 60, orientation: "NT" });
      }
    }
  });

  testOnDevices(`parts of sums: ${variant ?? "the default"} reads f16`, async (device) => {
    for (const orientation of ORIENTATIONS) {
      await check(device, { M: 9, N: 36, K: 60, orientation, variant, part: 16, dtype: "f16" });
    }
  });
}

testOnWebGpu("parts of sums: every kernel leaves the same bits", async () => {
  using device = await WebGpuDevice.open({ adapter: "software" });
  for (const orientation of ORIENTATIONS) {
    const size = { M: 71, N: 100, K: 140, orientation, part: 40 };
    const want = await run(device, { ...size, variant: "tile" });
    const shapes = [[8, 4], [16, 8], [32, 8]].map(([rows, columns]) => ({ rows, columns }));
    for (const shape of shapes) {
      assert.deepEqual(await run(device, { ...size, variant: "shuffle", shape }), want);
    }
    for (const side of [64, 128]) {
      const shape = { rows: side, columns: side };
      assert.deepEqual(await run(device, { ...size, variant: "workgroup", shape }), want);
    }
  }
}, await lacking("eight lanes"));

testOnWebGpu("parts of sums: rows of b touched ahead change none", async () => {
  using device = await WebGpuDevice.open({ adapter: "software" });
  for (const [M, N, K, part] of [[40, 516, 1030, 344], [520, 512, 1024, 344]]) {
    const size = { M, N, K, orientation: "NN", part } as const;
    const { kernel: { constants }, groups } = productKernel(device, size, {
      ...{ orientation: "NN", epilogue: "part", dtype: "f32", accumulate: false },
      ...{ isTileable: true, parts: 3 },
    });
    assert.deepEqual([constants!.AHEAD, constants!.DOWN], [1, 1]);
    const [few, many] = unrollsLoads(device) // tiles of 32 by 4
      ? [[2, 17, 3], [17, 16, 3]]
      : shuffleLanes(device) === 8 // of 32 by 8; of 16 lanes 64 by 4 where there are so many rows
      ? [[2, 9, 3], [17, 8, 3]]
      : [[2, 5, 3], [9, 8, 3]];
    assert.deepEqual(groups, M === 40 ? few : many);
    const [got, want] = [await run(device, size), await run(device, { ...size, variant: "tile" })];
    got.forEach((all, i) =>
      assert.ok(all.every((x: number, at: number) => x === want[i][at]), `${M} ${i}`)
    );
    if (M <= N) await check(device, size);
  }
}, await lacking("eight lanes"));

testOnDevices("parts of sums: no bit depends on M or on the scratch", async (device) => {
  for (const variant of VARIANTS) {
    for (const orientation of ["NN", "NT"] as const) {
      const size = { N: 100, K: 140, orientation, variant, part: 24 }, ldOut = 108;
      const [whole] = await run(device, { ...size, M: 300 });
      for (const M of [1, 5, 33]) {
        const [part] = await run(device, { ...size, M });
        const end = (M - 1) * ldOut + 4 + 100;
        assert.deepEqual(part.subarray(0, end), whole.subarray(0, end), `${orientation} ${M}`);
      }
      for (const rows of [4, 7, 130]) { // 75, 75 and 3 blocks
        const scratch = 6 * 100 * rows;
        assert.deepEqual((await run(device, { ...size, M: 300, scratch }))[0], whole, `${rows}`);
      }
    }
    const size = { M: 300, N: 20, K: 140, orientation: "TN", variant, part: 24 } as const;
    const [whole] = await run(device, size);
    for (const rows of [7, 130]) {
      assert.deepEqual((await run(device, { ...size, scratch: 6 * 20 * rows }))[0], whole, "TN");
    }
  }
});

testOnDevices("parts of sums: a row range of a large weight is cut, too", async (device) => {
  for (const [M, N, K, orientation] of [[6, 8, 300, "NN"], [6, 300, 40, "NT"]] as const) {
    const [a, b] = [wave(M * K), wave(N * K, 1, 2)], out = device.alloc(M * N, "out");
    const x = { a: upload(device, a, "a"), b: upload(device, b, "b"), out };
    matmul(device, x, { M, N, K, orientation });
    const [want] = await device.read(out);
    const launches: Launch[] = [], partial = device.alloc(64 * M * N, "partial");
    matmul(noting(device, launches), { ...x, partial }, { M, N, K, orientation, part: 16 });
    assertClose((await device.read(out))[0], want, orientation, 1e-4);
    assert.ok(combinesOf(launches).length > 1, orientation);
  }
}, { maxBinding: 8192 });

// 1 + 2^24 is 2^24 in f32: from the first part to the last the sum is 0, from the last to the first 1.
testOnWebGpu("parts of sums: they are added in the order of k", async () => {
  using device = await WebGpuDevice.open();
  const [M, N, K, part] = [4, 4, 24, 8];
  const a = new Float32Array(M * K);
  for (let m = 0; m < M; m++) [a[m * K], a[m * K + 8], a[m * K + 16]] = [1, 2 ** 24, -(2 ** 24)];
  const x = { a: upload(device, a, "a"), b: upload(device, new Float32Array(N * K).fill(1), "b") };
  const out = device.alloc(M * N, "out"), partial = device.alloc(3 * M * N, "partial");
  matmul(device, { ...x, out, partial }, { M, N, K, orientation: "NN", part });
  const [got, parts] = await device.read(out, partial);
  assert.deepEqual([...parts], [1, 2 ** 24, -(2 ** 24)].flatMap((sum) => Array(16).fill(sum)));
  assert.deepEqual([...got], Array(16).fill(0));
});

Deno.test("parts of sums: the twin's are the sum, in f64 to 1e-13", async () => {
  using device = new CpuDevice({ precision: "f64" });
  for (const orientation of ORIENTATIONS) {
    const form = { M: 5, N: 8, K: 52, orientation, epilogue: "gelu" } as const;
    const [parted, whole] = [{ ...form, part: 16 }, { ...form, part: 52 }];
    const [got, want] = [await run(device, parted), await run(device, whole)];
    assertClose(got[0], want[0], orientation, 1e-13);
  }
});

const adapter = (software: boolean, ...features: string[]) => ({
  ...{ software, features: new Set(features) },
});
const CARD = adapter(false), PROCESSOR = adapter(true, "subgroups-8");

Deno.test("parts of sums: their number depends on N and K alone, and in TN on both sides", () => {
  const partsOf = (device: typeof CARD, orientation: Orientation, ...[M, N, K]: number[]) =>
    Math.ceil(K / partOf(device, { orientation, M, N, K }));
  for (const orientation of ["NN", "NT"] as const) {
    for (const M of [1, 32, 640, 100_000]) {
      const of = (device: typeof CARD, N: number, K: number) =>
        partsOf(device, orientation, M, N, K);
      assert.equal(of(CARD, 768, 50257), 16); // the gradient of GPT-2's hidden states: the most
      assert.equal(of(CARD, 768, 3072), 3); // its MLP out: 1024 k's at least
      assert.equal(of(CARD, 128, 2048), 2); // the default model's hidden states
      assert.equal(of(CARD, 768, 768), 1);
      assert.equal(of(CARD, 8192, 8192), 4); // 128 tiles side by side: 512 with 4 parts
      assert.equal(of(CARD, 50257, 4096), 1); // these fill an adapter
      assert.equal(of(PROCESSOR, 768, 50257), 43); // 12 tiles side by side
      assert.equal(of(PROCESSOR, 64, 131072), 64); // the most
      assert.equal(of(PROCESSOR, 768, 8191), 1);
      assert.equal(of(PROCESSOR, 768, 8192), 8);
    }
  }
  assert.equal(partsOf(CARD, "TN", 768, 768, 4096), 4); // 144 tiles
  assert.equal(partsOf(CARD, "TN", 768, 3072, 4096), 1); // 576
  assert.equal(partsOf(CARD, "TN", 128, 128, 1152), 4); // 256 rows at least
  assert.equal(partsOf(CARD, "TN", 128, 128, 511), 1);
  assert.equal(partsOf(PROCESSOR, "TN", 128, 128, 4096), 1);
  assert.equal(partsOf(PROCESSOR, "TN", 128, 128, 8192), 16);
});

Deno.test("parts of sums: parts are multiples of 8, and all but the last alike", () => {
  assert.equal(partFor(50257, 16), 3144); // 3141.06 rounded up to eights
  assert.equal(partFor(64, 8), 8);
  assert.equal(partFor(9, 2), 8);
  assert.equal(partFor(7, 2), 7); // no more than K
  assert.equal(partFor(100, 1), 100);
  assert.equal(partFor(100, 0), 100);
});

Deno.test("parts of sums: scratch is bounded, whatever M is", () => {
  const of = (M: number) => partialScratch(CARD, { orientation: "NN", M, N: 768, K: 50257 });
  assert.equal(of(32), 16 * 32 * 768);
  assert.equal(of(640), 16 * 640 * 768); // 31 MB
  assert.equal(of(100_000), 16 * 640 * 768); // 2^23 / 16 / 768 = 682 rows: whole tiles of 128
  assert.equal(partialScratch(CARD, { orientation: "NN", M: 9, N: 30, K: 4096 }), 4 * 9 * 32);
  assert.equal(partialScratch(CARD, { orientation: "NN", M: 32, N: 768, K: 768 }), 0);
  assert.equal(partialScratch(PROCESSOR, { orientation: "NN", M: 32, N: 768, K: 3072 }), 0);
});

testOnDevices(
  "parts of sums: taken where the rule says so and scratch is given",
  async (device) => {
    const [M, N, K] = [3, 8, 2048];
    const [a, b, out] = [wave(M * K), wave(N * K, 1, 2), device.alloc(M * N, "out")];
    const x = { a: upload(device, a, "a"), b: upload(device, b, "b"), out };
    const partial = device.alloc(2 * M * N, "partial"), launches: Launch[] = [];
    const card = noting(device, launches, { card: true });
    const dims = { M, N, K, orientation: "NN" } as const;
    const combines = () => combinesOf(launches.splice(0));
    matmul(card, { ...x, partial }, dims);
    assert.deepEqual(combines(), ["matmul_combine.plain"]);
    const [cut] = await device.read(out);
    matmul(card, x, dims);
    assert.deepEqual(combines(), []);
    assertClose((await device.read(out))[0], cut, "with and without", 1e-3);
    for (const other of [{ role: "decode" }, { variant: "plain" }, { part: K }] as const) {
      matmul(card, { ...x, partial }, { ...dims, ...other });
      assert.deepEqual(combines(), [], JSON.stringify(other));
    }
    matmul(card, { ...x, partial }, { ...dims, N: 6 }); // rows of b that are no whole fours
    matmul(noting(device, launches), { ...x, partial }, dims); // a processor
    assert.deepEqual(combines(), []);
  },
);

testOnDevices(
  "parts of sums: refuses scratch that holds not four rows, and odd parts",
  (device) => {
    const [M, N, K] = [3, 8, 64];
    const x = {
      a: device.alloc(M * K, "a"),
      b: device.alloc(N * K, "b"),
      out: device.alloc(24, "o"),
    };
    const partial = device.alloc(95, "small"), dims = { M, N, K, orientation: "NN" } as const;
    assert.throws(
      () => matmul(device, { ...x, partial }, { ...dims, part: 16 }),
      new RangeError(
        "Cannot take sums of 64 in 4 parts as their scratch has 96 elements at least: " +
          '"small" has 95; give it partialScratch of them',
      ),
    );
    for (const part of [12, 0, -8, 8.5]) {
      assert.throws(
        () => matmul(device, { ...x, partial }, { ...dims, part }),
        new RangeError(
          `Cannot take sums of 64 in parts as those are multiples of 8: part is ${part}`,
        ),
      );
    }
  },
);
