/** Attention over texts that share their beginning, in one row, against each text in a row of its own. @module */
import assert from "node:assert/strict";
import { attention, attentionBackward, type AttentionDims } from "../../kernels/attention.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device, HostArray } from "../../kernels/device.ts";
import { upload } from "../../kernels/tensor.ts";
import { assertRelative } from "../_close.ts";
import {
  type Mask,
  plainMask,
  testKernels,
  type Tree,
  treeMask,
  uploadMask,
} from "./_attention.ts";
import { wavesOf } from "./_waves.ts";

const [H, D] = [2, 64], C = H * D; // four lanes share such a head, where they share at all

const wave = wavesOf(0.37);

interface Data {
  qkv: HostArray;
  dout: HostArray;
}

/** Row-major outputs: lse has H, T turned round so that it is (B, T, H, 2). */
async function run(device: Device, mask: Mask, data: Data, dims: AttentionDims) {
  const { B, T } = dims, N = B * T;
  const x = {
    qkv: upload(device, data.qkv, "qkv"),
    ...uploadMask(device, mask),
    out: device.alloc(N * C, "out"),
    lse: device.alloc(N * H * 2, "lse"),
    dout: upload(device, data.dout, "dout"),
    delta: device.alloc(N * H, "delta"),
    dqkv: device.alloc(N * 3 * C, "dqkv"),
  };
  attention(device, x, dims);
  attentionBackward(device, x, dims);
  const [out, lse, dqkv] = await device.read(x.out, x.lse, x.dqkv);
  const turned = lse.map((_, i) => {
    const [b, t, h] = [Math.floor(i / 2 / H / T), Math.floor(i / 2 / H) % T, (i >> 1) % H];
    return lse[((b * H + h) * T + t) * 2 + i % 2];
  });
  return { out, lse: turned, dqkv };
}

/** Rows `rows` of a (T, width) array, side by side in one of `T` rows; NaN behind them. */
function pick(
  from: HostArray,
  rows: readonly number[],
  { T, width }: { T: number; width: number },
) {
  const out = new Float32Array(T * width).fill(NaN);
  rows.forEach((row, t) => out.set(from.subarray(row * width, (row + 1) * width), t * width));
  return out;
}

const concat = (arrays: Float32Array[]) => Float32Array.from(arrays.flatMap((one) => [...one]));

/** The texts of a tree each in a row of its own: a plain, ragged batch. */
function apart(data: Data, texts: readonly number[][], T: number): Data {
  const spread = (from: HostArray, width: number) =>
    concat(texts.map((rows) => pick(from, rows, { T, width })));
  return { qkv: spread(data.qkv, 3 * C), dout: spread(data.dout, C) };
}

const leaves = (...rows: number[]): Tree[] => rows.map((n) => ({ rows: n }));
const TREES: Record<string, Tree> = {
  "a prompt and four completions": { rows: 9, then: leaves(6, 1, 11, 4) },
  "siblings longer than a workgroup": { rows: 3, then: leaves(40, 70, 33) },
  "a prompt longer than a workgroup": { rows: 71, then: leaves(5, 5, 5, 5, 5, 5, 5, 5) },
  "an instruction, two prompts, two completions each": {
    rows: 7,
    then: [{ rows: 12, then: leaves(30, 9) }, { rows: 5, then: leaves(2, 41) }],
  },
  "one text": { rows: 50 },
};

/** The gradient of a tree of which each text alone gives `plain`: shared rows get the sum. */
function gathered(plain: HostArray, texts: readonly number[][], T: number, rows: number) {
  const sum = new Float64Array(rows * 3 * C);
  texts.forEach((path, b) =>
    path.forEach((row, t) => {
      for (let c = 0; c < 3 * C; c++) sum[row * 3 * C + c] += plain[(b * T + t) * 3 * C + c];
    })
  );
  return sum;
}

for (const [name, tree] of Object.entries(TREES)) {
  for (const window of [undefined, 1, 6, 37]) {
    testKernels(
      (kernel) =>
        `attention() of ${name}, ${
          JSON.stringify({ window, ...kernel })
        }, is that of each text alone`,
      (device, kernel) => compare(device, tree, { window, ...kernel }),
    );
  }
}

async function compare(device: Device, tree: Tree, options: Partial<AttentionDims>) {
  const padding = 5;
  const { end, position, texts } = treeMask(tree, 200);
  const rows = Math.max(...end),
    T = rows + padding,
    longest = Math.max(...texts.map((x) => x.length));
  const mask = { end: end.slice(0, T), position: position.slice(0, T) };
  const data = {
    qkv: wave(T * 3 * C).fill(NaN, rows * 3 * C),
    dout: wave(T * C, 1, 2).fill(NaN, rows * C),
  };
  // What is asked of a shared row is asked of it in its first text alone, as a tree asks once.
  const alone = apart(data, texts, longest), asked = new Set<number>();
  texts.forEach((path, b) =>
    path.forEach((row, t) => {
      const at = (b * longest + t) * C;
      if (asked.has(row)) alone.dout.fill(0, at, at + C);
      asked.add(row);
    })
  );
  const B = texts.length, lengths = texts.map((path) => path.length);
  const got = await run(device, mask, data, { B: 1, T, H, D, ...options });
  const plain = { B, T: longest, H, D, ...options };
  const want = await run(device, plainMask(lengths, longest), alone, plain);
  texts.forEach((path, b) =>
    path.forEach((row, t) => {
      for (const [key, width] of [["out", C], ["lse", 2 * H]] as const) {
        const [ours, theirs] = [row, b * longest + t].map((at, i) =>
          (i === 0 ? got : want)[key].slice(at * width, (at + 1) * width)
        );
        assert.deepEqual(ours, theirs, `${key} of row ${row}, ${t} of text ${b}`);
      }
    })
  );
  const real = got.dqkv.subarray(0, rows * 3 * C);
  assertRelative(real, gathered(want.dqkv, texts, longest, rows), "dqkv", 1e-6);
  for (const [key, width] of [["out", C], ["lse", 2 * H], ["dqkv", 3 * C]] as const) {
    const behind = got[key].subarray(rows * width);
    assert.ok(behind.length === padding * width && behind.every((x) => x === 0), `${key} behind`);
  }
}

Deno.test("a window of a tree counts positions, not rows", async () => {
  using device = new CpuDevice({ precision: "f64" });
  // All scores are equal, so that out is the mean of the values in sight: row t has value t.
  const { end, position } = treeMask({ rows: 3, then: leaves(2, 2) }, 7), dims = { B: 1, T: 7 };
  const values = Float32Array.from(
    { length: 7 * 3 },
    (_, i) => i % 3 === 2 ? Math.floor(i / 3) : 0,
  );
  const x = {
    ...uploadMask(device, { end, position }),
    qkv: upload(device, values, "qkv"),
    out: device.alloc(7, "out"),
    lse: device.alloc(14, "lse"),
  };
  attention(device, x, { ...dims, H: 1, D: 1, window: 2 });
  assert.deepEqual([...(await device.read(x.out))[0]], [0, 0.5, 1.5, 2.5, 3.5, 3.5, 5.5]);
});
