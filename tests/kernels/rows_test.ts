import assert from "node:assert/strict";
import { addRows } from "../../kernels/add_rows.ts";
import type { Device, Tensor } from "../../kernels/device.ts";
import { groupRows } from "../../kernels/row_groups.ts";
import { gatherRows, NO_ROW } from "../../kernels/rows.ts";
import { testOnDevices } from "../_devices.ts";
import { flatGroups, groupsIn } from "../_row_groups.ts";
import { checkGradient, checkTwin, outcome, wave } from "./_op.ts";

/** N distinct rows of R, out of order, with every fourth pick left out. */
const picks = (N: number, R: number) =>
  Uint32Array.from({ length: N }, (_, n) => n % 4 === 3 ? NO_ROW : (n * 7 + 2) % R);

/** As `picks`, but few rows over and over. */
const repeats = (N: number, R: number) => picks(N, R).map((r) => r === NO_ROW ? r : r % 3);

const buffers = (C: number, R: number, index: Uint32Array<ArrayBuffer>) => ({
  x: wave(R * C, 200),
  index,
  out: wave(index.length * C, 1, 2),
  dout: wave(index.length * C, 1, 3),
  dx: wave(R * C, 1, 4),
  ...flatGroups("index", index),
});

/** Enqueues the gradient of picking N rows of R. */
const back =
  (dims: Record<"N" | "R" | "C", number>) => (device: Device, b: Record<string, Tensor>) =>
    addRows(device, { dout: b.dout, groups: groupsIn("index", b), table: b.dx }, {
      ...dims,
      V: dims.R,
    });

for (const [N, R, C] of [[1, 1, 1], [5, 6, 3], [67, 71, 130], [67, 71, 260], [71, 71, 4]]) {
  const dims = { N, R, C };
  testOnDevices(
    `gatherRows() and addRows() match their twins at ${N} of ${R} x ${C}`,
    async (device) => {
      for (const index of N === 1 ? [Uint32Array.of(0)] : [picks(N, R), repeats(N, R)]) {
        const data = buffers(C, R, index);
        const run = (d: Device, b: Record<keyof typeof data, Tensor>) => {
          gatherRows(d, b, dims);
          back(dims)(d, b);
        };
        await checkTwin(device, { data, run }, ["out", "dx"], { rtol: 1e-6 });
      }
    },
  );
}

testOnDevices("gatherRows() reaches rows beyond 65,535 workgroups", async (device) => {
  const N = 65535 + 9;
  const data = {
    x: Float32Array.of(5, 7),
    index: new Uint32Array(N).fill(1),
    out: new Float32Array(N),
  };
  const { out } = await outcome(device, {
    data,
    run: (d, b) => gatherRows(d, b, { N, R: 2, C: 1 }),
  });
  assert.equal(out.subarray(0, N).findIndex((y) => y !== 7), -1);
});

testOnDevices(
  "gatherRows() gives zeros and addRows() adds nothing for NO_ROW",
  async (device) => {
    const data = {
      x: Float32Array.of(1, 2, 3, 4),
      index: Uint32Array.of(NO_ROW, 1),
      out: wave(4),
      dout: Float32Array.of(10, 20, 30, 40),
      dx: Float32Array.of(1, 1, 1, 1),
      ...flatGroups("index", Uint32Array.of(NO_ROW, 1)),
    };
    const got = await outcome(device, {
      data,
      run(d, b) {
        gatherRows(d, b, { N: 2, R: 2, C: 2 });
        back({ N: 2, R: 2, C: 2 })(d, b);
      },
    });
    assert.deepEqual([...got.out.subarray(0, 4)], [0, 0, 3, 4]);
    assert.deepEqual([...got.dx.subarray(0, 4)], [1, 1, 31, 41]);
  },
);

Deno.test("addRows() matches central differences of gatherRows()", async () => {
  const [N, R, C] = [5, 6, 3];
  for (const index of [picks(N, R), repeats(N, R)]) {
    await checkGradient({
      data: buffers(C, R, index),
      forward: (d, b) => gatherRows(d, b, { N, R, C }),
      backward: back({ N, R, C }),
      out: "out",
      dout: "dout",
      gradients: { x: "dx" },
    });
  }
});

testOnDevices(
  "addRows() sums the rows of one place in ascending order, then adds",
  async (device) => {
    const dout = Float32Array.of(1, 2 ** 24, 5, -(2 ** 24)); // 1 + 2^24 = 2^24 in f32
    const dx = Float32Array.of(10, 20);
    const data = { dout, dx, ...flatGroups("index", Uint32Array.of(1, 1, 0, 1)) };
    const got = await outcome(device, { data, run: back({ N: 4, R: 2, C: 1 }) });
    const f64 = device.kind === "cpu" ? 1 : 0; // a twin's sums are double until they are stored
    assert.deepEqual([...got.dx.subarray(0, 2)], [15, 20 + f64]);
  },
);

testOnDevices("addRows() reaches groups beyond 65,535 workgroups", async (device) => {
  const N = 65535 + 9;
  const data = {
    dout: new Float32Array(N).fill(2),
    dx: new Float32Array(N).fill(1),
    ...flatGroups("index", Uint32Array.from({ length: N }, (_, n) => N - 1 - n)),
  };
  const { dx } = await outcome(device, { data, run: back({ N, R: N, C: 1 }) });
  assert.equal(dx.subarray(0, N).findIndex((y) => y !== 3), -1);
});

Deno.test("groupRows() groups rows by key and keeps their order", () => {
  assert.deepEqual(groupRows(Uint32Array.of(7, 3, 7, 50256, 3, 3)), {
    order: Uint32Array.of(1, 4, 5, 0, 2, 3),
    start: Uint32Array.of(0, 3, 5, 6, 6, 6, 6),
    distinct: Uint32Array.of(3, 7, 50256, 0, 0, 0),
    count: Uint32Array.of(3),
  });
  assert.deepEqual(groupRows(Uint32Array.of(0)).count, Uint32Array.of(1));
});

testOnDevices("gatherRows() rejects an x that is too small", (device) => {
  const x = device.alloc(7, "seven");
  assert.throws(
    () => gatherRows(device, { x, index: x, out: x }, { N: 1, R: 2, C: 4 }),
    new RangeError('Cannot launch rows.gather as x needs 8 elements: "seven" has 7'),
  );
});
