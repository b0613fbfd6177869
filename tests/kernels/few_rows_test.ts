import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device, HostArray } from "../../kernels/device.ts";
import { fewRows, takesFewRows } from "../../kernels/few_rows.ts";
import { matmul } from "../../kernels/matmul.ts";
import { type Epilogue, productTwin } from "../../kernels/matmul_twin.ts";
import { upload } from "../../kernels/tensor.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { CANARY, wavesOf } from "./_waves.ts";

const wave = wavesOf(0.7);

interface Size {
  M: number;
  N: number;
  K: number;
  orientation: "NN" | "NT";
}
interface Form {
  epilogue?: Epilogue;
  dtype?: "f32" | "f16";
  accumulate?: number;
  /** Whether subgroups are as the device has them; else the kernels of other devices run. */
  own?: boolean;
}

/**
 * Runs the kernel on rows that are wider than what is used, NaN around a and numbers around out; gives
 * out and pre, whole, with two rows of canaries behind.
 */
async function run(
  device: Device,
  { M, N, K, orientation }: Size,
  { epilogue = "plain", dtype = "f32", accumulate = 0, own = true }: Form = {},
): Promise<HostArray[]> {
  const [ldA, atA, atOut] = [K + 12, 8, 4], ldOut = Math.ceil(N / 4) * 4 + 8;
  const a = new Float32Array(M * ldA).fill(NaN), values = wave(M * K, 2);
  for (let i = 0; i < M * K; i++) a[Math.floor(i / K) * ldA + atA + i % K] = values[i];
  const b = new Float32Array(N * K + 8).fill(NaN);
  b.set(wave(N * K, 1, 5));
  const laidOut = (M - 1) * ldOut + atOut + N;
  const most = (M + 2) * ldOut; // bound whole: what is written or read too far is no one's loss else
  const before = wave(most, 1, 3).fill(CANARY, M * ldOut);
  const tensor = (data: Float32Array<ArrayBuffer>, name: string) => upload(device, data, name);
  const out = tensor(before, "out"), pre = tensor(wave(most, 1, 7), "pre");
  const bind: Record<string, readonly [ReturnType<typeof tensor>, number]> = {
    a: [tensor(a, "a"), (M - 1) * ldA + atA + K],
    b: [upload(device, b, "b", dtype), b.length],
    out: [out, most],
  };
  if (["biased", "gelu", "residual_add"].includes(epilogue)) {
    bind.bias = [tensor(wave(N + 3, 1, 4), "bias"), N];
  }
  if (epilogue === "residual_add") {
    bind.residual = [tensor(wave(M * ldOut, 1, 6), "residual"), laidOut];
  }
  if (epilogue === "gelu" || epilogue === "dgelu") bind.pre = [pre, most];
  const features = own ? device.features : new Set<string>();
  const strides = { ldA, ldB: orientation === "NT" ? K : N, ldOut, atA, atOut };
  const dims = { M, N, K, ...strides, part: K, plane: 0 };
  assert.ok(takesFewRows(orientation, dims));
  device.launch({
    ...fewRows({ features, software: true }, dims, {
      orientation,
      epilogue,
      dtype,
      accumulate: accumulate === 1,
    }),
    dims: { ...dims, accumulate, scale: epilogue === "plain" ? 0.5 : 1 },
    bind,
  });
  return await device.read(out, pre);
}

async function check(device: Device, size: Size, form: Form): Promise<void> {
  using exact = new CpuDevice({ precision: "f64" });
  const [got, want] = [await run(device, size, form), await run(exact, size, form)];
  const what = JSON.stringify({ ...size, ...form });
  assertClose(got[0], want[0], `out ${what}`, 1e-5 * Math.max(4, size.K / 8));
  assertClose(got[1], want[1], `pre ${what}`, 1e-5 * Math.max(4, size.K / 8));
}

const rows = [1, 3, 19]; // each number of rows that a workgroup may have
for (const own of [true, false]) {
  const of = own ? "this device" : "other devices";
  testOnDevices(`few rows: kernels of ${of} give the product at ragged sizes`, async (device) => {
    for (const M of rows) {
      for (const [N, K] of [[4, 4], [36, 8], [64, 32], [100, 36], [128, 132]]) {
        await check(device, { M, N, K, orientation: "NN" }, { own });
      }
      for (const [N, K] of [[1, 4], [3, 8], [33, 32], [98, 36], [131, 140]]) {
        await check(device, { M, N, K, orientation: "NT" }, { own });
      }
    }
  });

  testOnDevices(`few rows: kernels of ${of} have each epilogue`, async (device) => {
    for (const epilogue of ["plain", "biased", "residual_add", "gelu", "dgelu"] as const) {
      for (const accumulate of epilogue === "plain" || epilogue === "dgelu" ? [0, 1] : [0]) {
        const form = { own, epilogue, accumulate };
        await check(device, { M: 3, N: 132, K: 72, orientation: "NN" }, form);
        await check(device, { M: 3, N: 67, K: 40, orientation: "NT" }, form);
      }
    }
  });

  testOnDevices(`few rows: kernels of ${of} give a row the same bits in every batch`, async (d) => {
    // The last two have several strips by rows of b (N, K), one of them whole; and tiles of 8 columns.
    for (const [N, K] of [[384, 132], [96, 300], [1000, 260], [768, 300]]) {
      for (const orientation of ["NN", "NT"] as const) {
        const whole = (await run(d, { M: 19, N, K, orientation }, { own }))[0];
        for (const M of [1, 2, 4, 5, 8, 16]) {
          const [part] = await run(d, { M, N, K, orientation }, { own });
          const end = (M - 1) * (N + 8) + 4 + N; // before the canary
          const same = part.subarray(0, end).every((x, i) => x === whole[i]);
          assert.ok(same, `${orientation} M ${M} N ${N} K ${K}`);
        }
      }
    }
  });

  testOnDevices(`few rows: kernels of ${of} read f16 exactly`, async (device) => {
    for (const orientation of ["NN", "NT"] as const) {
      for (const M of [1, 3]) {
        await check(device, { M, N: 64, K: 40, orientation }, { own, dtype: "f16" });
      }
    }
  });
}

testOnDevices("few rows: a workgroup takes as many strips as suit its rows", async (device) => {
  const wanted = [
    ...[["NN", 1, 768, 12], ["NN", 1, 384, 6], ["NN", 1, 256, 4], ["NN", 1, 128, 2]],
    ...[["NN", 1, 32, 1], ["NN", 3, 256, 4], ["NN", 3, 128, 2], ["NN", 3, 96, 1]],
    ...[["NT", 1, 768, 3], ["NT", 1, 1030, 3], ["NT", 1, 764, 1], ["NT", 3, 801, 3]],
  ] as ["NN" | "NT", number, number, number][];
  const choice = { epilogue: "plain", dtype: "f32", accumulate: false } as const;
  for (const [orientation, M, N, strips] of wanted) {
    const size = { M, N, K: 36, orientation };
    await check(device, size, {});
    if (!device.features.has("subgroups-8")) continue;
    const { kernel } = fewRows(device, size, { ...choice, orientation });
    const of = `${M === 3 ? 4 : 1} rows${strips > 1 ? ` of ${strips} strips` : ""}`;
    assert.equal(kernel.variant, `${orientation}, ${of}`);
  }
});

Deno.test("few rows: where lanes shuffle more than four rows have the tile", () => {
  const choice = { epilogue: "plain", dtype: "f32", accumulate: false } as const;
  const labelOf = (M: number, orientation: "NN" | "NT", ...features: string[]): string => {
    const adapter = { software: true, features: new Set(features) };
    return fewRows(adapter, { M, N: 64, K: 64 }, { ...choice, orientation }).kernel.label;
  };
  for (const orientation of ["NN", "NT"] as const) {
    for (const [M, name] of [[4, "few_rows"], [5, "matmul"], [64, "matmul"]] as const) {
      assert.equal(labelOf(M, orientation, "subgroups-8"), `${name}_shuffle.plain`);
    }
    const way = orientation === "NN" ? "parts" : "along_k";
    for (const M of [4, 5, 64]) assert.equal(labelOf(M, orientation), `few_rows_${way}.plain`);
  }
});

testOnDevices(
  "few rows: a large b is touched ahead, with the same bits in every batch",
  async (device) => {
    for (const [N, K] of [[512, 1024], [516, 1020]]) {
      const size = { N, K, orientation: "NN" } as const, end = N + 12;
      const choice = { ...size, epilogue: "plain", dtype: "f32", accumulate: false } as const;
      if (device.kind === "webgpu") {
        const { kernel } = fewRows(device, { M: 1, N, K }, choice);
        assert.equal(kernel.constants!.AHEAD, Number(device.features.has("subgroups-8")));
      }
      const whole = (await run(device, { M: 19, ...size }))[0];
      for (const M of [1, 3]) {
        await check(device, { M, ...size }, {});
        const [part] = await run(device, { M, ...size });
        assert.ok(part.subarray(0, end - 4).every((x, i) => x === whole[i]), `${N} ${K} ${M}`);
      }
    }
  },
);

testOnDevices("matmul() takes the kernels of few rows by role, and not by M", async (device) => {
  const labels: string[] = [];
  const spy = new Proxy(device, {
    get: (target, name) =>
      name === "launch"
        ? (launch: Parameters<Device["launch"]>[0]) => {
          labels.push(launch.kernel.label);
          target.launch(launch);
        }
        : Reflect.get(target, name),
  });
  for (const M of [1, 4]) { // of more, the tile where lanes shuffle
    for (
      const [N, K, role] of [[8, 8, "decode"], [8, 8, undefined], [6, 8, "decode"], [
        8,
        6,
        "decode",
      ]] as const
    ) {
      const [a, b] = [wave(M * K, 1), wave(N * K, 1, 2)], out = device.alloc(M * N, "out");
      const x = { a: upload(device, a, "a"), b: upload(device, b, "b"), out };
      matmul(spy, x, { M, N, K, orientation: "NN", role });
      const [got] = await device.read(out);
      matmul(device, x, { M, N, K, orientation: "NN", variant: "plain" });
      assertClose(got, (await device.read(out))[0], `${M} ${N} ${K}`);
    }
  }
  assert.deepEqual(labels.map((label) => label.startsWith("few_rows")), [
    ...[true, false, false, false],
    ...[true, false, false, false],
  ]);
});

for (const orientation of ["NN", "NT"] as const) {
  testOnDevices(
    `few rows: a large ${orientation} weight is bound in row ranges`,
    async (device) => {
      const [M, N, K] = orientation === "NN" ? [3, 8, 300] : [3, 300, 8];
      const [a, b] = [wave(M * K, 1), wave(N * K, 1, 2)], out = device.alloc(M * N, "out");
      const x = { a: upload(device, a, "a"), b: upload(device, b, "b"), out };
      matmul(device, x, { M, N, K, orientation, role: "decode" });
      const want = new Float64Array(M * N);
      const dims = { ldA: K, ldB: orientation === "NT" ? K : N, ldOut: N, atA: 0, atOut: 0 };
      productTwin(orientation, "plain")({ a, b, out: want }, {
        M,
        N,
        K,
        ...dims,
        accumulate: 0,
        scale: 1,
      });
      assertClose((await device.read(out))[0], want, "out", 1e-4);
    },
    { maxBinding: 8192 },
  );
}
