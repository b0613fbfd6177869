import assert from "node:assert/strict";
import { attendAll } from "../../kernels/attend_all.ts";
import type { Device } from "../../kernels/device.ts";
import { erf, geluErf } from "../../kernels/gelu_erf.ts";
import { meanRows } from "../../kernels/mean_rows.ts";
import { relu } from "../../kernels/relu.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { checkTwin, outcome, wave } from "./_op.ts";

/** Real lengths 1 to T, different in every batch row, the first one full. */
const lengths = (B: number, T: number) =>
  Uint32Array.from({ length: B }, (_, b) => 1 + (T - 1 + 5 * b) % T);

for (const [N, scale] of [[1, 1], [67, 3], [260, 3], [67, 200], [68, 200]]) {
  for (const op of [geluErf, relu]) {
    testOnDevices(`${op.name}() matches its twin at N=${N}, |x| <= ${scale}`, (device) =>
      checkTwin(
        device,
        { data: { x: wave(N, scale), out: wave(N, 1, 2) }, run: (d, b) => op(d, b, { N }) },
        ["out"],
      ));
  }
}

Deno.test("erf() gives PyTorch's values in float64", () => {
  // torch.erf(torch.tensor([...], dtype=torch.float64))
  const want = new Map([
    [0, 0],
    [1e-9, 1.1283791670955126e-9],
    [-0.5, -0.5204998778130465],
    [1, 0.8427007929497149],
    [2.5, 0.999593047982555],
    [-5.5, -0.9999999999999927],
    [1e200, 1],
    [-Infinity, -1],
  ]);
  for (const [z, value] of want) {
    assert.ok(Math.abs(erf(z) - value) <= 2e-15 * Math.abs(value), `erf(${z}) is ${erf(z)}`);
  }
});

testOnDevices("geluErf() gives the values of PyTorch's exact form", async (device) => {
  // torch.nn.functional.gelu(x) in float64
  const x = Float32Array.of(-1e30, -3, -1, 0, 0.5, 2, 1e30);
  const want = [
    0,
    -0.0040496940948871745,
    -0.15865525393145702,
    0,
    0.3457312306370065,
    1.9544997361036416,
    1e30,
  ];
  const { out } = await outcome(device, {
    data: { x, out: wave(7) },
    run: (d, b) => geluErf(d, b, { N: 7 }),
  });
  for (let i = 0; i < 7; i++) {
    const size = Math.max(1, Math.abs(want[i]));
    assert.ok(Math.abs(out[i] - want[i]) <= 5e-7 * size, `out[${i}]: ${out[i]}`);
  }
});

for (const [B, T, C] of [[1, 1, 1], [3, 7, 5], [2, 9, 140], [5, 3, 36]]) {
  testOnDevices(`meanRows() matches its twin at B=${B}, T=${T}, C=${C}`, (device) =>
    checkTwin(
      device,
      {
        data: { x: wave(B * T * C), length: lengths(B, T), out: wave(B * C, 1, 2) },
        run: (d, b) => meanRows(d, b, { B, T, C }),
      },
      ["out"],
    ));
}

testOnDevices(
  "meanRows() leaves padding out, and gives 0 where nothing is real",
  async (device) => {
    const { out } = await outcome(device, {
      data: {
        x: Float32Array.of(1, 2, 3, 6, NaN, NaN, NaN, NaN, NaN, NaN, NaN, NaN),
        length: Uint32Array.of(2, 0),
        out: wave(4),
      },
      run: (d, b) => meanRows(d, b, { B: 2, T: 3, C: 2 }),
    });
    assert.deepEqual([...out.subarray(0, 4)], [2, 4, 0, 0]);
  },
);

const attend = (d: Device, b: Parameters<typeof attendAll>[1], [B, T, H, D]: number[]) =>
  attendAll(d, b, { B, T, H, D });

// 33 and 70: one row, and more than one workgroup, past what a workgroup holds.
for (
  const dims of [[1, 1, 1, 1], [3, 5, 2, 3], [2, 33, 3, 8], [3, 70, 1, 20], [1, 9, 2, 128]]
) {
  const [B, T, H, D] = dims, C = H * D;
  for (const scale of [1, 14]) { // 14: scores of several hundred
    testOnDevices(`attendAll() matches its twin at ${dims}, |x| <= ${scale}`, (device) =>
      checkTwin(
        device,
        {
          data: {
            qkv: wave(B * T * 3 * C, scale),
            length: lengths(B, T),
            out: wave(B * T * C, 1, 2),
          },
          run: (d, b) => attend(d, b, dims),
        },
        ["out"],
        { rtol: scale > 1 ? 2e-3 : 3e-5 },
      ));
  }
}

testOnDevices("attendAll() looks both ways, and at no padding", async (device) => {
  // One head of one channel. Row 0 scores row 1 by log 3 over itself; row 2 is padding.
  const qkv = Float32Array.of(1, 0, 4, 1, Math.log(3), 8, NaN, NaN, NaN);
  const { out } = await outcome(device, {
    data: { qkv, length: Uint32Array.of(2), out: wave(3) },
    run: (d, b) => attend(d, b, [1, 3, 1, 1]),
  });
  assertClose(out.subarray(0, 3), [7, 7, 0], "out", 1e-5); // 4 / 4 + 8 * 3 / 4, for both rows
});

testOnDevices("the encoder's kernels reject tensors that are too small", (device) => {
  const x = device.alloc(7, "seven"), length = device.alloc(1, "length", "u32");
  for (
    const [run, error] of [
      [() => geluErf(device, { x, out: x }, { N: 8 }), "gelu_erf.forward as x needs 8 elements"],
      [() => relu(device, { x, out: x }, { N: 8 }), "relu.forward as x needs 8 elements"],
      [
        () => meanRows(device, { x, length, out: x }, { B: 1, T: 2, C: 4 }),
        "mean_rows.forward as x needs 8 elements",
      ],
      [
        () => attend(device, { qkv: x, length, out: x }, [1, 1, 1, 4]),
        "attend_all.forward as qkv needs 12 elements",
      ],
    ] as const
  ) {
    assert.throws(run, new RangeError(`Cannot launch ${error}: "seven" has 7`));
  }
  assert.throws(
    () => attend(device, { qkv: x, length, out: x }, [1, 1, 1, 160]),
    new RangeError(
      "Cannot run attention as a head has 1 to 128 dimensions: D is 160; use more heads",
    ),
  );
});
