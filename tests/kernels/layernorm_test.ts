import assert from "node:assert/strict";
import type { Device, Tensor } from "../../kernels/device.ts";
import { layernorm, layernormBackward, layernormScratch } from "../../kernels/layernorm.ts";
import { testOnDevices } from "../_devices.ts";
import { checkGradient, checkTwin, OTHER_KINDS, outcome, posingAs, wave } from "./_op.ts";

const buffers = (N: number, C: number, scale = 1, offset = 0) => ({
  x: wave(N * C, scale).map((x) => x + offset),
  weight: wave(C, 1, 2),
  bias: wave(C, 1, 3),
  out: wave(N * C, 1, 4),
  mean: wave(N, 1, 5),
  rstd: wave(N, 1, 6),
  dout: wave(N * C, 1, 7),
  dx: wave(N * C, 1, 8),
  dweight: wave(C, 1, 9),
  dbias: wave(C, 1, 10),
  scratch: wave(layernormScratch({ N, C }), 777),
});
type Buffers = Record<keyof ReturnType<typeof buffers>, Tensor>;
const both = (N: number, C: number) => (device: Device, b: Buffers) => {
  layernorm(device, b, { N, C, eps: 1e-5 });
  layernormBackward(device, b, { N, C });
};

for (const [N, C] of [[1, 1], [3, 5], [67, 130], [2, 4], [67, 260]]) { // 260: whole packs of four
  testOnDevices(
    `layernorm() and its backward match their twins at N=${N}, C=${C}`,
    (device) =>
      checkTwin(
        device,
        { data: buffers(N, C), run: both(N, C) },
        ["out", "mean", "rstd", "dx", "dweight", "dbias"],
        { scratch: ["scratch"], rtol: 2e-5 },
      ),
  );
}

const OUTPUTS = ["out", "mean", "rstd", "dx", "dweight", "dbias"] as const;

testOnDevices(
  "layernorm() and its backward are the same by shuffles and by shared memory",
  async (device) => {
    for (const [N, C] of [[3, 5], [9, 36]]) {
      const op = { data: buffers(N, C), run: both(N, C) };
      const got = await outcome(device, op);
      for (const kind of OTHER_KINDS) {
        const other = posingAs(device, kind);
        if (kind.software) assert.deepEqual(await outcome(other, op), got); // 8 lanes either way
        await checkTwin(other, op, [...OUTPUTS], { scratch: ["scratch"], rtol: 2e-5 });
      }
    }
  },
);

testOnDevices(
  "layernormBackward() of a norm that is not trained gives the same dx",
  async (device) => {
    const [N, C] = [19, 12];
    const data = buffers(N, C);
    const all = await outcome(device, { data, run: both(N, C) });
    const some = await outcome(device, {
      data,
      run(d, { dweight: _dweight, dbias: _dbias, ...b }) {
        layernorm(d, b, { N, C, eps: 1e-5 });
        layernormBackward(d, b, { N, C });
      },
    });
    assert.deepEqual(some.dx, all.dx);
    assert.deepEqual(some.dweight.subarray(0, C), data.dweight);
    assert.deepEqual(some.dbias.subarray(0, C), data.dbias);
  },
);

testOnDevices("layernorm() keeps its digits when the mean is far from zero", (device) =>
  checkTwin(
    device,
    { data: buffers(9, 48, 200, 1e4), run: (d, b) => layernorm(d, b, { N: 9, C: 48, eps: 1e-5 }) },
    ["out", "mean", "rstd"],
    { rtol: 1e-4 },
  ));

testOnDevices("layernorm() gives a constant row its bias", async (device) => {
  const data = { ...buffers(2, 6), x: new Float32Array(12).fill(3) };
  const { out } = await outcome(device, {
    data,
    run: (d, b) => layernorm(d, b, { N: 2, C: 6, eps: 1e-5 }),
  });
  assert.deepEqual([...out.subarray(0, 12)], [...data.bias, ...data.bias]);
});

testOnDevices("layernormBackward() adds nothing for rows without gradient", async (device) => {
  const [N, C] = [20, 6];
  const data = { ...buffers(N, C), dout: new Float32Array(N * C) };
  const got = await outcome(device, { data, run: both(N, C) });
  assert.deepEqual(got.dx.subarray(0, N * C), data.dx);
  assert.deepEqual(got.dweight.subarray(0, C), data.dweight);
  assert.deepEqual(got.dbias.subarray(0, C), data.dbias);
});

Deno.test("layernormBackward() matches central differences of layernorm()", () => {
  const [N, C] = [19, 5]; // 19 rows: more than one chunk
  return checkGradient({
    data: buffers(N, C),
    forward: (device, b) => layernorm(device, b, { N, C, eps: 1e-5 }),
    backward: (device, b) => layernormBackward(device, b, { N, C }),
    out: "out",
    dout: "dout",
    gradients: { x: "dx", weight: "dweight", bias: "dbias" },
  });
});

testOnDevices("layernorm() rejects an x that is too small", (device) => {
  const x = device.alloc(7, "seven");
  assert.throws(
    () =>
      layernorm(device, { x, weight: x, bias: x, out: x, mean: x, rstd: x }, {
        N: 2,
        C: 4,
        eps: 1e-5,
      }),
    new RangeError('Cannot launch layernorm.forward as x needs 8 elements: "seven" has 7'),
  );
});
