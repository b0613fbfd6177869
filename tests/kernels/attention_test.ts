import assert from "node:assert/strict";
import { attention, attentionBackward, type AttentionDims } from "../../kernels/attention.ts";
import { attentionTwin } from "../../kernels/attention_cpu.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device, HostArray } from "../../kernels/device.ts";
import { upload } from "../../kernels/tensor.ts";
import { assertClose, assertRelative } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { kernelsOf, plainMask, plainRows, testKernels } from "./_attention.ts";
import { wavesOf } from "./_waves.ts";

const wave = wavesOf(0.37);

/** Real lengths 1 to T, different in every batch row, the first one full. */
const lengths = (B: number, T: number) =>
  Uint32Array.from({ length: B }, (_, b) => 1 + (T - 1 + 5 * b) % T);

const same = (a: HostArray, b: HostArray) => a.every((x, i) => x === b[i]);

/** Outputs start as waves one element too long: the last element must survive. */
async function run(device: Device, dims: AttentionDims, scale = 1) {
  const { B, T, H, D } = dims, N = B * T, C = H * D;
  const canary = (n: number) => upload(device, wave(n + 1, 1), "canary");
  const x = {
    qkv: upload(device, wave(N * 3 * C, scale), "qkv"),
    ...plainRows(device, lengths(B, T), T),
    out: canary(N * C),
    lse: canary(B * H * T * 2),
    dout: upload(device, wave(N * C, 1, 2), "dout"),
    delta: canary(B * H * T),
    dqkv: canary(N * 3 * C),
  };
  attention(device, x, dims);
  attentionBackward(device, x, dims);
  const outputs = [x.out, x.lse, x.delta, x.dqkv];
  const read = await device.read(...outputs);
  for (const array of read) {
    const last = array.length - 1;
    assert.equal(array[last], Math.fround(wave(last + 1, 1)[last]), "wrote past the last element");
  }
  return Object.fromEntries(
    ["out", "lse", "delta", "dqkv"].map((name, i) => [name, read[i].subarray(0, -1)]),
  );
}

// 33 and 70: one row, and more than one workgroup, past what a workgroup holds. Of heads of 32, 96, 64 and
// 128 lanes may share rows, two or four of them; from 128 rows on a workgroup has twice as many.
const SIZES = [
  ...[[1, 1, 1, 1], [3, 5, 2, 3], [2, 33, 3, 8], [3, 70, 1, 20], [1, 9, 2, 128]],
  ...[[1, 1, 1, 32], [2, 23, 2, 96], [2, 33, 2, 64], [1, 133, 1, 64]],
];
for (const [B, T, H, D] of SIZES) {
  const dims = { B, T, H, D };
  testKernels(
    (kernel) => `attention() matches its twin in f64 at ${JSON.stringify({ ...dims, ...kernel })}`,
    async (device, kernel) => {
      using exact = new CpuDevice({ precision: "f64" });
      const [got, want] = [await run(device, { ...dims, ...kernel }), await run(exact, dims)];
      for (const name in want) assertClose(got[name], want[name], name, 3e-5);
    },
  );
}

// Windows within one workgroup, across its border, of one row, of all rows and of more than there are.
testOnDevices("attention() with a window and a scale matches its twin in f64", async (device) => {
  using exact = new CpuDevice({ precision: "f64" });
  for (
    const [B, T, H, D, window] of [
      [2, 37, 2, 8, 5],
      [2, 70, 2, 8, 33],
      [3, 70, 1, 8, 32],
      [2, 70, 1, 32, 33],
      [1, 40, 1, 64, 7],
      [2, 9, 2, 8, 1],
      [2, 34, 1, 8, 34],
      [1, 33, 1, 8, 100],
    ]
  ) {
    for (const kernel of kernelsOf(device)) {
      const dims = { B, T, H, D, window, scale: 1, ...kernel };
      const [got, want] = [await run(device, dims), await run(exact, dims)];
      const all = await run(device, { ...dims, window: undefined });
      for (const name in want) {
        const what = `${name} at ${JSON.stringify(dims)}`;
        assertClose(got[name], want[name], what, 1e-4);
        assert.equal(same(got[name], all[name]), window >= T, what);
      }
    }
  }
});

testOnDevices("attention() sees the rows of its window and no other", async (device) => {
  // All scores are equal, so that out is the mean of the values in sight: row t has value t.
  const [T, D, window] = [9, 4, 3];
  const qkv = Float32Array.from({ length: T * 3 * D }, (_, i) => {
    const [row, part] = [Math.floor(i / (3 * D)), Math.floor(i / D) % 3];
    return part === 2 ? row : 0;
  });
  const x = {
    qkv: upload(device, qkv, "qkv"),
    ...plainRows(device, [T], T),
    out: device.alloc(T * D, "out"),
    lse: device.alloc(T * 2, "lse"),
  };
  for (const kernel of kernelsOf(device)) {
    attention(device, x, { B: 1, T, H: 1, D, window, ...kernel });
    const [out] = await device.read(x.out);
    const seen = Array.from({ length: T }, (_, t) => out[t * D]);
    assertClose(seen, [0, 0.5, 1, 2, 3, 4, 5, 6, 7], "out", 1e-6);
  }
});

testOnDevices("attention() keeps scores of several hundred finite", async (device) => {
  using exact = new CpuDevice({ precision: "f64" });
  const dims = { B: 2, T: 13, H: 2, D: 8 };
  const [got, want] = [await run(device, dims, 14), await run(exact, dims, 14)];
  assert.ok(want.lse.some((x: number) => x > 200));
  for (const name in want) assertRelative(got[name], want[name], name, 2e-3);
});

testKernels(
  (kernel) =>
    `attention() ignores padded rows and gives them zero output and gradient ${
      JSON.stringify(kernel)
    }`,
  async (device, kernel) => {
    const [B, T, H, D] = [2, 37, 2, 32], C = H * D, length = [37, 6];
    const results: HostArray[][] = [];
    for (const padding of [0.5, NaN]) {
      const spoil = (data: Float32Array<ArrayBuffer>, width: number) =>
        data.fill(padding, 43 * width);
      const x = {
        qkv: upload(device, spoil(wave(B * T * 3 * C, 1), 3 * C), "qkv"),
        ...plainRows(device, length, T),
        out: device.alloc(B * T * C, "out"),
        lse: device.alloc(B * H * T * 2, "lse"),
        dout: upload(device, spoil(wave(B * T * C, 1), C), "dout"),
        delta: device.alloc(B * H * T, "delta"),
        dqkv: device.alloc(B * T * 3 * C, "dqkv"),
      };
      attention(device, x, { B, T, H, D, ...kernel });
      attentionBackward(device, x, { B, T, H, D, ...kernel });
      results.push(await device.read(x.out, x.lse, x.delta, x.dqkv));
    }
    assert.deepEqual(results[0], results[1]);
    const [out, lse, delta, dqkv] = results[0];
    assert.ok(out.subarray(43 * C).every((x) => x === 0));
    assert.ok(dqkv.subarray(43 * 3 * C).every((x) => x === 0));
    assert.ok(dqkv.subarray(0, 43 * 3 * C).some((x) => x !== 0));
    for (const h of [0, 1]) { // of the second sequence, from its row 6 on
      const padded = [(H + h) * T + 6, (H + h + 1) * T];
      assert.ok(delta.subarray(...padded).every((x) => x === 0));
      assert.ok(lse.subarray(2 * padded[0], 2 * padded[1]).every((x) => x === 0));
    }
  },
);

testOnDevices("attention() of a row is the same to the bit in any batch", async (device) => {
  const [T, H, D] = [41, 2, 64], C = H * D, lengths = [41, 17, 30];
  const qkv = wave(3 * T * 3 * C, 1);
  for (const kernel of kernelsOf(device)) {
    const run = async (first: number, B: number, long: number) => {
      const part = new Float32Array(B * long * 3 * C);
      for (let b = 0; b < B; b++) {
        const from = (first + b) * T * 3 * C;
        part.set(qkv.subarray(from, from + Math.min(T, long) * 3 * C), b * long * 3 * C);
      }
      const out = device.alloc(B * long * C, "out"), lse = device.alloc(B * long * H * 2, "lse");
      const rows = plainRows(device, lengths.slice(first, first + B), long);
      const x = { qkv: upload(device, part, "qkv"), ...rows, out, lse };
      attention(device, x, { B, T: long, H, D, ...kernel });
      return (await device.read(out))[0];
    };
    const whole = await run(0, 3, T);
    const [alone, shorter, longer] = [await run(1, 1, T), await run(1, 1, 17), await run(1, 1, 70)];
    const want = whole.subarray(T * C, (T + 17) * C);
    for (const got of [alone, shorter, longer]) assert.deepEqual(got.subarray(0, 17 * C), want);
  }
});

Deno.test("attentionBackward() matches central differences of the twin in f64", async () => {
  await checkGradient({ B: 2, T: 5, H: 2, D: 3 });
});

Deno.test("attentionBackward() with window and scale matches central differences", async () => {
  await checkGradient({ B: 2, T: 7, H: 2, D: 3, window: 3, scale: 1 });
  await checkGradient({ B: 1, T: 4, H: 1, D: 2, window: 1, scale: 0.3 });
});

async function checkGradient(dims: AttentionDims) {
  using device = new CpuDevice({ precision: "f64" });
  const { B, T, H, D } = dims, N = B * T, C = H * D, h = 1e-5;
  const { dqkv } = await run(device, dims);
  const dout = wave(N * C, 1, 2), mask = plainMask(lengths(B, T), T);
  const loss = (qkv: Float64Array<ArrayBuffer>) => {
    const out = new Float64Array(N * C), lse = new Float64Array(B * H * T * 2);
    const unused = new Float64Array(0);
    attentionTwin({ qkv, ...mask, out, lse, dout, delta: unused, dqkv: unused }, dims);
    return out.reduce((sum, o, i) => sum + o * dout[i], 0);
  };
  const qkv = Float64Array.from(wave(N * 3 * C, 1));
  const want = qkv.map((x, i) => (loss(qkv.with(i, x + h)) - loss(qkv.with(i, x - h))) / (2 * h));
  assertClose(dqkv, want, "dqkv", 1e-9);
}

testOnDevices(
  "attention() rejects heads that are too wide, empty windows and buffers that are too small",
  (device) => {
    const seven = upload(device, wave(7, 1), "seven");
    const x = {
      qkv: seven,
      ...plainRows(device, [1], 1),
      out: seven,
      lse: seven,
    };
    assert.throws(
      () => attention(device, x, { B: 1, T: 1, H: 1, D: 160 }),
      new RangeError(
        "Cannot run attention as a head has 1 to 128 dimensions: D is 160; use more heads",
      ),
    );
    assert.throws(
      () => attention(device, x, { B: 1, T: 1, H: 1, D: 4 }),
      new RangeError(
        'Cannot launch attention_d4.forward as qkv needs 12 elements: "seven" has 7',
      ),
    );
    assert.throws(
      () => attention(device, x, { B: 1, T: 1, H: 1, D: 1, window: 0 }),
      new RangeError("Cannot attend as each row attends itself at least: window is 0"),
    );
  },
);
