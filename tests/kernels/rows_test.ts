import assert from "node:assert/strict";
import { gatherRows, NO_ROW, scatterRows } from "../../kernels/rows.ts";
import { testOnDevices } from "../_devices.ts";
import { checkGradient, checkTwin, outcome, wave } from "./_op.ts";

/** N distinct rows of R, out of order, with every fourth pick left out. */
const picks = (N: number, R: number) =>
  Uint32Array.from({ length: N }, (_, n) => n % 4 === 3 ? NO_ROW : (n * 7 + 2) % R);

const buffers = (N: number, R: number, C: number) => ({
  x: wave(R * C, 200),
  index: picks(N, R),
  out: wave(N * C, 1, 2),
  dout: wave(N * C, 1, 3),
  dx: wave(R * C, 1, 4),
});

for (const [N, R, C] of [[1, 1, 1], [5, 6, 3], [67, 71, 130], [67, 71, 260], [71, 71, 4]]) {
  const dims = { N, R, C };
  testOnDevices(
    `gatherRows() and scatterRows() match their twins at ${N} of ${R} x ${C}`,
    (device) =>
      checkTwin(
        device,
        {
          data: { ...buffers(N, R, C), index: N === 1 ? Uint32Array.of(0) : picks(N, R) },
          run(d, b) {
            gatherRows(d, b, dims);
            scatterRows(d, b, dims);
          },
        },
        ["out", "dx"],
        { rtol: 1e-6 },
      ),
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
  "gatherRows() gives zeros and scatterRows() adds nothing for NO_ROW",
  async (device) => {
    const data = {
      x: Float32Array.of(1, 2, 3, 4),
      index: Uint32Array.of(NO_ROW, 1),
      out: wave(4),
      dout: Float32Array.of(10, 20, 30, 40),
      dx: Float32Array.of(1, 1, 1, 1),
    };
    const got = await outcome(device, {
      data,
      run(d, b) {
        gatherRows(d, b, { N: 2, R: 2, C: 2 });
        scatterRows(d, b, { N: 2, R: 2, C: 2 });
      },
    });
    assert.deepEqual([...got.out.subarray(0, 4)], [0, 0, 3, 4]);
    assert.deepEqual([...got.dx.subarray(0, 4)], [1, 1, 31, 41]);
  },
);

Deno.test("scatterRows() matches central differences of gatherRows()", () => {
  const [N, R, C] = [5, 6, 3];
  return checkGradient({
    data: buffers(N, R, C),
    forward: (d, b) => gatherRows(d, b, { N, R, C }),
    backward: (d, b) => scatterRows(d, b, { N, R, C }),
    out: "out",
    dout: "dout",
    gradients: { x: "dx" },
  });
});

testOnDevices("gatherRows() rejects an x that is too small", (device) => {
  const x = device.alloc(7, "seven");
  assert.throws(
    () => gatherRows(device, { x, index: x, out: x }, { N: 1, R: 2, C: 4 }),
    new RangeError('Cannot launch rows.gather as x needs 8 elements: "seven" has 7'),
  );
});
