import assert from "node:assert/strict";
import { add } from "../../../kernels/add.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { align, alignOf, rowRanges, upload, view } from "../../../kernels/tensor.ts";
import type { Device, HostArray, Tensor } from "../../../kernels/device.ts";
import { Scope } from "../../../kernels/scope.ts";
import { embedding } from "../../../kernels/embedding.ts";
import { layernorm } from "../../../kernels/layernorm.ts";
import {
  matmul,
  type MatmulBuffers,
  type MatmulDims,
  type MatmulVariant,
  type Orientation,
} from "../../../kernels/matmul.ts";
import { testOnDevices } from "../../_devices.ts";
import { hearLaunches } from "../_launches.ts";
import { wave } from "../_op.ts";

const half = (device: Device, values: number[], label = "h"): Tensor =>
  upload(device, Float32Array.from(values), label, "f16");
const rounded = (values: Float32Array): Float32Array<ArrayBuffer> =>
  new Float32Array(new Float16Array(values));
const read = async (device: Device, tensor: Tensor) => [...(await device.read(tensor))[0]];

/** Equal to the last bit, the sign of zero included. */
function assertSame(got: HostArray, want: ArrayLike<number>, name: string): void {
  const at = got.findIndex((x: number, i: number) => !Object.is(x, want[i]));
  assert.equal(got.length, want.length, name);
  assert.equal(at, -1, `${name}[${at}]: got ${got[at]}, want ${want[at]}`);
}

testOnDevices("f16 memory gives back the nearest number that f16 has", async (device) => {
  const pairs: [written: number, kept: number][] = [
    [0.1, 0.0999755859375],
    [1 + 2 ** -11, 1], // a tie goes to the even neighbour
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [-0, -0],
    [65504, 65504],
    [-65519, -65504],
    [2 ** -24, 2 ** -24], // the smallest
    [-3 * 2 ** -24, -3 * 2 ** -24],
    [2 ** -25, 0],
    [1.5 * 2 ** -25, 2 ** -24],
    [NaN, NaN],
    [-Infinity, -Infinity],
    [1, 1],
  ];
  const numbers = pairs.map(([written]) => written);
  for (const data of [Float32Array.from(numbers), Float64Array.from(numbers), numbers]) {
    const tensor = device.alloc(pairs.length, "h", "f16");
    device.write(tensor, data);
    const [got] = await device.read(tensor);
    assert.ok(got instanceof Float32Array);
    assertSame(got, pairs.map(([, kept]) => kept), data.constructor.name);
  }
});

testOnDevices(
  "f16 memory takes 2 bytes an element, and reads beside other types",
  async (device) => {
    const before = device.memory.live;
    const big = device.alloc(1024, "big", "f16");
    assert.equal(device.memory.live - before, 2048);
    device.zero(big);
    const tensors = [
      half(device, [1, 2, 3]),
      upload(device, Uint32Array.of(7), "u"),
      big,
      half(device, [4]),
    ];
    const got = await device.read(...tensors);
    assert.deepEqual(got.map((x) => [...x]), [[1, 2, 3], [7], Array(1024).fill(0), [4]]);
  },
);

testOnDevices("f16 views start at multiples of 128 and keep to themselves", async (device) => {
  assert.deepEqual([alignOf("f16"), alignOf("f32"), align(129, "f16")], [128, 64, 256]);
  const whole = device.alloc(384, "whole", "f16");
  device.write(whole, new Float32Array(384).fill(1));
  const middle = view(whole, 128, 4);
  device.zero(middle);
  device.write(middle, [5, 6], 2);
  const want = Array(384).fill(1);
  want.splice(128, 4, 0, 0, 5, 6);
  assert.deepEqual(await read(device, whole), want);
  assert.deepEqual(await read(device, view(whole, 128, 3)), [0, 0, 5]);
  assert.throws(() => view(whole, 64, 4), /views start at a multiple of 128/);
  assert.deepEqual(rowRanges({ maxBinding: 512, maxBuffer: 1e9 }, { R: 7, C: 64, dtype: "f16" }), [
    [0, 4],
    [4, 7],
  ]);
});

testOnDevices("f16 memory refuses what it cannot hold, and half a pair", async (device) => {
  const tensor = half(device, [1, 2, 3, 4, 5], "big weight");
  assert.throws(
    () => device.write(tensor, [0, -65520], 2),
    new RangeError(
      "Cannot write big weight as f16 holds numbers up to 65504: element 3 is -65520; store it as f32",
    ),
  );
  for (const [data, at] of [[[0, 0], 1], [[0], 1], [[0], 0]] as const) {
    assert.throws(() => device.write(tensor, data, at), /f16 is written in whole pairs/);
  }
  device.write(tensor, []);
  device.write(tensor, [9], 4); // the end of the tensor
  assert.deepEqual(await read(device, tensor), [1, 2, 3, 4, 9]);
});

const variants = (dims: MatmulDims): (MatmulVariant | undefined)[] => {
  const { M, N, K, orientation } = dims;
  const strides = [orientation === "TN" ? M : K, orientation === "NT" ? K : N, N];
  return strides.every((n) => n % 4 === 0) ? ["plain", "tile", undefined] : [undefined];
};

/** Runs one product with b as f16 and as f32 of the same numbers; all that is written must be equal. */
async function compare(
  device: Device,
  dims: MatmulDims,
  extras: readonly ("bias" | "residual" | "pre")[] = [],
): Promise<void> {
  using scope = new Scope(device);
  const { M, N, K } = dims;
  const make = (values: Float32Array, label: string, dtype?: "f16"): Tensor => {
    const tensor = scope.alloc(values.length + 4, label, dtype); // what lies behind is no number
    device.write(tensor, Float32Array.of(...values, NaN, NaN, NaN, NaN));
    return tensor;
  };
  const ldA = dims.ldA ?? (dims.orientation === "TN" ? M : K);
  const rows = dims.orientation === "TN" ? K : M;
  const b = rounded(wave(N * K, 0.3, 2));
  b.set(rounded(Float32Array.of(65504, -65504, -0, 2 ** -24, -5e-6)).subarray(0, b.length));
  const written = M * (dims.ldOut ?? N);
  const run = async (dtype?: "f16"): Promise<HostArray[]> => {
    const out = make(wave(written, 1, 3), "out"), pre = make(wave(written, 1, 4), "pre");
    const x: MatmulBuffers = { a: make(wave(rows * ldA), "a"), b: make(b, "b", dtype), out };
    for (const extra of extras) {
      x[extra] = extra === "pre" ? pre : make(wave(extra === "bias" ? N : M * N, 1, 5), extra);
    }
    matmul(device, x, dims);
    return await device.read(out, pre);
  };
  const [[want, wantPre], [got, gotPre]] = [await run(), await run("f16")];
  const name = JSON.stringify(dims);
  assert.ok(want.subarray(0, written).every(Number.isFinite), name);
  assertSame(got, want, `out ${name}`); // with the canary behind it
  assertSame(gotPre, wantPre, `pre ${name}`);
}

for (const orientation of ["NN", "NT", "TN"] as Orientation[]) {
  testOnDevices(`matmul() ${orientation} by f16 is that by f32, bit for bit`, async (device) => {
    for (const [M, N, K] of [[1, 1, 1], [3, 5, 7], [17, 36, 12], [34, 100, 20]]) {
      const dims = { M, N, K, orientation };
      for (const variant of variants(dims)) {
        await compare(device, { ...dims, variant });
        await compare(device, { ...dims, variant, accumulate: true });
      }
    }
  });
}

for (const orientation of ["NN", "NT"] as const) {
  testOnDevices(`matmul() ${orientation} by f16 has every epilogue`, async (device) => {
    for (const variant of ["plain", "tile", undefined] as const) {
      const dims = { M: 20, N: 36, K: 12, orientation, variant };
      await compare(device, dims, ["bias"]);
      await compare(device, dims, ["bias", "residual"]);
      await compare(device, { ...dims, activation: "gelu" }, ["bias", "pre"]);
      await compare(device, { ...dims, activation: "dgelu" }, ["pre"]);
    }
  });
}

for (const orientation of ["NN", "NT"] as const) {
  testOnDevices(
    `matmul() ${orientation} binds a large f16 weight in row ranges`,
    async (device) => {
      using exact = new CpuDevice({ precision: "f64" });
      using heard = hearLaunches(device);
      for (const C of [8, 6]) { // of 6 a row, only every 64th starts aligned
        const [N, K] = orientation === "NN" ? [C, 300] : [300, C];
        const dims = { M: 1, N, K, orientation }, values = rounded(wave(300 * C, 1, 2));
        const run = async (on: Device): Promise<HostArray> => {
          const out = upload(on, new Float32Array(N + 1).fill(7777), "out");
          const b = upload(on, values, "b", "f16");
          matmul(on, { a: upload(on, wave(K), "a"), b, out }, dims);
          return (await on.read(out))[0];
        };
        const [got, want] = [await run(device), await run(exact)];
        assert.equal(got[N], 7777);
        got.forEach((x: number, i: number) => {
          assert.ok(Math.abs(x - want[i]) < 1e-4, `out[${i}] is ${x}, not ${want[i]}`);
        });
      }
      assert.equal(heard.launches.length, 3 + 3); // as f32 it would be 5 and 4
    },
    { maxBinding: 2048 },
  );
}

testOnDevices(
  "matmul() by f16 keeps its epilogue where only f32 would need row ranges",
  async (device) => {
    const ones = (length: number, dtype?: "f16") =>
      upload(device, new Float32Array(length).fill(1), `${length} ones`, dtype);
    const dims = { M: 1, N: 8, K: 100, orientation: "NN" } as const;
    const x = { a: ones(100), b: ones(800, "f16"), bias: ones(8), out: ones(8) };
    matmul(device, x, dims); // 1,600 bytes
    assert.deepEqual(await read(device, x.out), Array(8).fill(101));
    assert.throws(() => matmul(device, { ...x, b: ones(800) }, dims), /as row ranges have none/);
  },
  { maxBinding: 2048 },
);

testOnDevices("embedding() gives every number that f16 has", async (device) => {
  const all = Float32Array.from(
    new Float16Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer),
  ).filter(Number.isFinite);
  for (const [C, V] of [[62, 1024], [64, 992]]) { // one by one, and by fours
    assert.equal(all.length, V * C);
    const position = device.alloc(V, "position", "u32");
    device.zero(position);
    const x = {
      token: upload(device, Uint32Array.from({ length: V }, (_, n) => n), "token"),
      position,
      wte: upload(device, all, "wte", "f16"),
      wpe: upload(device, new Float32Array(C).fill(-0), "wpe"), // -0 changes no sum
      out: device.alloc(V * C, "out"),
    };
    embedding(device, x, { N: V, C, V, P: 1 });
    assertSame((await device.read(x.out))[0], all, `C ${C}`);
  }
});

for (const [C, V] of [[6, 100], [8, 100]]) {
  testOnDevices(
    `embedding() takes f16 in either table, in row ranges too, C=${C}`,
    async (device) => {
      const N = 9, P = 5;
      const tables = { wte: rounded(wave(V * C)), wpe: rounded(wave(P * C, 1, 2)) };
      const run = async (wte?: "f16", wpe?: "f16"): Promise<HostArray> => {
        const out = upload(device, new Float32Array(N * C + 1).fill(7777), "out");
        const x = {
          token: upload(device, Uint32Array.from({ length: N }, (_, n) => (n * 37) % V), "token"),
          position: upload(device, Uint32Array.from({ length: N }, (_, n) => n % P), "position"),
          wte: upload(device, tables.wte, "wte", wte),
          wpe: upload(device, tables.wpe, "wpe", wpe),
          out,
        };
        embedding(device, x, { N, C, V, P });
        return (await device.read(out))[0];
      };
      const want = await run();
      assert.equal(want[N * C], 7777);
      assertSame(await run("f16"), want, "wte in f16");
      assertSame(await run(undefined, "f16"), want, "wpe in f16");
      assertSame(await run("f16", "f16"), want, "both in f16");
    },
    { maxBinding: 1024 },
  );
}

Deno.test("matmul() and embedding() take f16 where the CPU computes in f64", async () => {
  using device = new CpuDevice({ precision: "f64" });
  const out = device.alloc(1, "out"), id = upload(device, Uint32Array.of(0), "id");
  const x = { a: upload(device, Float64Array.of(0.1), "a"), b: half(device, [0.1]), out };
  matmul(device, x, { M: 1, N: 1, K: 1, orientation: "NN" });
  assert.deepEqual(await read(device, out), [0.1 * 0.0999755859375]);
  embedding(device, { token: id, position: id, wte: x.b, wpe: x.a, out }, {
    N: 1,
    C: 1,
    V: 1,
    P: 1,
  });
  assert.deepEqual(await read(device, out), [0.1 + 0.0999755859375]);
});

testOnDevices("a launch refuses memory of another type than its WGSL declares", (device) => {
  const [h, f, u] = [half(device, [1, 2]), device.alloc(2, "f"), device.alloc(2, "u", "u32")];
  const dims = { M: 1, N: 1, K: 1, orientation: "NN" } as const;
  assert.throws(
    () => matmul(device, { a: h, b: f, out: f }, dims),
    new TypeError('Cannot launch matmul.plain as a, array<f32> in the WGSL, takes f32: "h" is f16'),
  );
  assert.throws(
    () => matmul(device, { a: f, b: f, out: h }, dims),
    /as out, .* takes f32: "h" is f16/,
  );
  assert.throws(
    () => matmul(device, { a: f, b: u, out: f }, dims),
    /as b, .* takes f32: "u" is u32/,
  );
  assert.throws(
    () => add(device, { a: f, b: h, out: f }, { N: 2 }),
    /as b, .* takes f32: "h" is f16/,
  );
  const norm = { x: f, weight: h, bias: f, out: f, mean: f, rstd: f };
  assert.throws(
    () => layernorm(device, norm, { N: 1, C: 2, eps: 1e-5 }),
    /as weight, .* takes f32: "h" is f16/,
  );
  const tables = { token: f, position: u, wte: h, wpe: h, out: f };
  assert.throws(
    () => embedding(device, tables, { N: 1, C: 2, V: 1, P: 1 }),
    new TypeError(
      'Cannot launch embedding.forward as token, array<u32> in the WGSL, takes u32: "f" is f32',
    ),
  );
});
