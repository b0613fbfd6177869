import assert from "node:assert/strict";
import { gelu } from "../../kernels/gelu.ts";
import { geluOf, geluSlope } from "../../kernels/gelu_cpu.ts";
import { matmul } from "../../kernels/matmul.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { checkTwin, outcome, wave } from "./_op.ts";

for (const [N, scale] of [[1, 1], [67, 3], [260, 3], [67, 200], [68, 200]]) {
  testOnDevices(`gelu() matches its twin at N=${N}, |x| <= ${scale}`, (device) =>
    checkTwin(
      device,
      { data: { x: wave(N, scale), out: wave(N, 1, 2) }, run: (d, b) => gelu(d, b, { N }) },
      ["out"],
    ));
}

testOnDevices("gelu() gives the values of PyTorch's tanh form", async (device) => {
  // torch.nn.functional.gelu(x, approximate="tanh") and its autograd, in float64
  const x = Float32Array.of(-1e30, -3, -1, 0, 0.5, 2, 1e30);
  const want = [
    0,
    -0.0036373920817729943,
    -0.15880800939172324,
    0,
    0.34571400982514394,
    1.954597694087775,
    1e30,
  ];
  const slope = [
    0,
    -0.011584166630969648,
    -0.08296408384578252,
    0.5,
    0.8673699035346424,
    1.0860992566236183,
    1,
  ];
  const got = await outcome(device, {
    data: {
      x,
      out: wave(7),
      one: Float32Array.of(1),
      dout: new Float32Array(7).fill(1),
      dx: wave(7),
    },
    run(d, b) {
      gelu(d, b, { N: 7 });
      const dims = { M: 7, N: 1, K: 1, orientation: "NN", activation: "dgelu" } as const;
      matmul(d, { a: b.dout, b: b.one, pre: b.x, out: b.dx }, dims);
    },
  });
  for (let i = 0; i < 7; i++) {
    const size = Math.max(1, Math.abs(want[i]));
    assert.ok(Math.abs(got.out[i] - want[i]) <= 1e-6 * size, `out[${i}]: ${got.out[i]}`);
    assert.ok(Math.abs(got.dx[i] - slope[i]) <= 1e-6, `dx[${i}]: ${got.dx[i]}`);
  }
});

testOnDevices("gelu() and its slope keep their digits far below 0", async (device) => {
  const N = 400, x = Float32Array.from({ length: N }, (_, i) => -5 + i / 40); // -5 to 4.975
  const got = await outcome(device, {
    data: {
      x,
      out: wave(N),
      one: Float32Array.of(1),
      dout: new Float32Array(N).fill(1),
      dx: wave(N),
    },
    run(d, b) {
      gelu(d, b, { N });
      const dims = { M: N, N: 1, K: 1, orientation: "NN", activation: "dgelu" } as const;
      matmul(d, { a: b.dout, b: b.one, pre: b.x, out: b.dx }, dims);
    },
  });
  x.forEach((at, i) => {
    // 1 + tanh u as 2 / (1 + exp(-2u)): in f64 too the sum loses digits.
    const u = Math.sqrt(2 / Math.PI) * (at + 0.044715 * at ** 3),
      want = at / (1 + Math.exp(-2 * u));
    assert.ok(Math.abs(got.out[i] - want) <= 3e-6 * Math.abs(want), `gelu(${at}): ${got.out[i]}`);
    const size = 1 / (1 + Math.exp(-2 * u)) * Math.max(1, at * at); // of the terms that it adds up
    assert.ok(Math.abs(got.dx[i] - geluSlope(at)) <= 3e-6 * size, `slope at ${at}: ${got.dx[i]}`);
  });
});

Deno.test("geluSlope() matches central differences of geluOf()", () => {
  const h = 1e-5, x = wave(23, 4);
  const want = Array.from(x, (at) => (geluOf(at + h) - geluOf(at - h)) / (2 * h));
  assertClose(x.map(geluSlope), want, "slope", 1e-6);
});

testOnDevices("gelu() rejects an x that is too small", (device) => {
  const x = device.alloc(7, "seven");
  assert.throws(
    () => gelu(device, { x, out: x }, { N: 8 }),
    new RangeError('Cannot launch gelu.forward as x needs 8 elements: "seven" has 7'),
  );
});
