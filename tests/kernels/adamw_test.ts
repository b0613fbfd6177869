import assert from "node:assert/strict";
import { adamw, type AdamWOptions, advanceAdamw, hyperOf } from "../../kernels/adamw.ts";
import { CountingDevice } from "../../kernels/devices/counting.ts";
import type { Device, Launch, Tensor } from "../../kernels/device.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { checkTwin, OTHER_KINDS, outcome, posingAs, wave } from "./_op.ts";

const OPTIONS: AdamWOptions = { lr: 0.01, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1 };

const buffers = (N: number, norm = 0.5) => ({
  weight: wave(N),
  grad: wave(N, 200, 2),
  m: wave(N, 1, 3),
  v: wave(N, 1, 4).map(Math.abs),
  hyper: Float32Array.from(hyperOf(OPTIONS)),
  correction: Float32Array.of(1 / (1 - 0.9 ** 3), 1 / (1 - 0.95 ** 3)),
  norm: Float32Array.of(17, norm),
});
type Buffers = Record<keyof ReturnType<typeof buffers>, Tensor>;
const STATE = ["weight", "grad", "m", "v"] as const;

for (const N of [1, 67, 260, 1111, 4 * 8 * 64 * 2 + 36]) { // the last two: several workgroups
  for (const decay of [0, 1] as const) {
    testOnDevices(`adamw() matches its twin at N=${N}, decay=${decay}`, (device) =>
      checkTwin(
        device,
        { data: buffers(N), run: (d, b) => adamw(d, b, { N, decay }) },
        [...STATE],
        { rtol: 1e-6 },
      ));
  }
}

testOnDevices("adamw() gives the same bits however many Packs a workgroup owns", async (device) => {
  for (const N of [1111, 4 * 64 * 4 * 2 + 36]) {
    const data = buffers(N),
      run = { data, run: (d: Device, b: Buffers) => adamw(d, b, { N, decay: 1 }) };
    const got = await outcome(device, run);
    for (const kind of OTHER_KINDS) {
      assert.deepEqual(await outcome(posingAs(device, kind), run), got);
    }
  }
});

Deno.test("adamw() covers every element, with no more workgroups than a grid has", () => {
  class Noting extends CountingDevice {
    readonly launches: Launch[] = [];
    override launch(launch: Launch): void {
      super.launch(launch);
      this.launches.push(launch);
    }
  }
  const limits = { maxBinding: 2 ** 33, maxBuffer: 2 ** 33 };
  for (const software of [true, false]) {
    const like = { kind: "webgpu", name: "large", software, limits, features: new Set<string>() };
    using device = new Noting(like as ConstructorParameters<typeof CountingDevice>[0]);
    for (const N of [1, 4, 2051, 2052, 2 ** 26 + 4, 2 ** 30, 2 ** 30 - 4]) {
      const [weight, grad, m, v, hyper, norm, correction] = [N, N, N, N, 8, 2, 2]
        .map((n) => device.alloc(n, "x"));
      adamw(device, { weight, grad, m, v, hyper, norm, correction }, { N, decay: 0 });
      const { groups, dims, kernel } = device.launches.pop()!;
      const share = kernel.workgroup! * dims.run, packs = N % 4 === 0 ? N / 4 : N;
      assert.ok(groups![0] * share >= packs && (groups![0] - 1) * share < packs, `${N}: ${groups}`);
      device.trim();
    }
    assert.deepEqual(device.launches, []);
  }
});

testOnDevices(
  "adamw() updates a tensor larger than one binding in ranges",
  async (device) => {
    const N = 701; // three ranges of at most 256, the last ragged
    await checkTwin(
      device,
      { data: buffers(N), run: (d, b) => adamw(d, b, { N, decay: 1 }) },
      [...STATE],
      { rtol: 1e-6 },
    );
  },
  { maxBinding: 1024 },
);

testOnDevices("adamw() takes the steps that torch.optim.AdamW takes", async (device) => {
  // torch 2.5.1, float64: AdamW([1, -2], lr 0.01, betas (0.9, 0.95), eps 1e-8, weight_decay 0.1),
  // gradients [0.5, -1], [0.25, 3], [-4, 0]
  const want = [[0.9890000002, -1.9880000001], [0.9786180697563397, -1.9909049577537108], [
    0.9828439581626562,
    -1.992745227834314,
  ]];
  const [weight, grad, m, v, hyper, norm, correction] = [2, 2, 2, 2, 8, 2, 2].map((n) =>
    device.alloc(n, "x")
  );
  const taken = device.alloc(1, "taken", "u32");
  device.write(weight, [1, -2]);
  device.write(norm, [1, 1]);
  device.write(hyper, hyperOf(OPTIONS));
  for (const tensor of [m, v, taken]) device.zero(tensor);
  for (const [t, g] of [[0.5, -1], [0.25, 3], [-4, 0]].entries()) {
    device.write(grad, g);
    advanceAdamw(device, { hyper, norm, correction, taken });
    adamw(device, { weight, grad, m, v, hyper, norm, correction }, { N: 2, decay: 1 });
    assertClose((await device.read(weight))[0], want[t], `step ${t + 1}`, 1e-6);
  }
});

testOnDevices(
  "adamw() skips the step but zeroes the gradient when the norm was not finite",
  async (device) => {
    const data = { ...buffers(3, 0), grad: Float32Array.of(NaN, Infinity, 1) };
    const got = await outcome(device, { data, run: (d, b) => adamw(d, b, { N: 3, decay: 1 }) });
    assert.deepEqual([...got.grad.subarray(0, 3)], [0, 0, 0]);
    for (const name of ["weight", "m", "v"] as const) {
      assert.deepEqual(got[name].subarray(0, 3), data[name], name);
    }
  },
);

testOnDevices("advanceAdamw() corrects the bias of both moments at every step", async (device) => {
  const [norm, correction] = [device.alloc(3, "norm"), device.alloc(3, "correction")];
  const hyper = device.alloc(8, "hyper"), taken = device.alloc(2, "taken", "u32");
  device.write(norm, [5, 1, 7]);
  for (const [beta1, beta2] of [[0.9, 0.999], [0, 0.5], [0.99, 0.9999], [0.5, 0.999999]]) {
    device.write(hyper, hyperOf({ lr: 1, beta1, beta2 }));
    for (const t of [1, 2, 5, 6, 7, 50, 500, 501, 4999, 5000, 100_000]) {
      device.write(taken, [t - 1, 12345]);
      device.write(correction, [9, 9, 0.125]);
      advanceAdamw(device, { hyper, norm, correction, taken });
      const [count, got] = await device.read(taken, correction);
      assert.deepEqual([...count, got[2]], [t, 12345, 0.125]);
      const want = [beta1, beta2].map((beta) => 1 / (1 - Math.fround(beta) ** t));
      const what = `${beta1}, ${beta2} at step ${t}`;
      assertClose([got[0] / want[0], got[1] / want[1]], [1, 1], what, 5e-7);
    }
  }
});

testOnDevices("advanceAdamw() does not count a step whose norm was not finite", async (device) => {
  const [hyper, norm, correction] = [8, 2, 2].map((n) => device.alloc(n, "x"));
  const taken = device.alloc(1, "taken", "u32");
  device.write(hyper, hyperOf(OPTIONS));
  device.write(norm, [NaN, 0]);
  device.write(taken, [4]);
  device.write(correction, [2, 3]);
  advanceAdamw(device, { hyper, norm, correction, taken });
  const [count, got] = await device.read(taken, correction);
  assert.deepEqual([...count, ...got], [4, 2, 3]);
});

Deno.test("hyperOf() has the defaults, rounded as the device holds them", () => {
  const [lr, beta1, beta2, eps, weightDecay, , , rest] = hyperOf({ lr: 0.5 });
  assert.deepEqual([lr, eps, weightDecay, rest], [0.5, 1e-8, 0, 0]);
  assert.deepEqual([beta1, beta2], [Math.fround(0.9), Math.fround(0.999)]);
});

Deno.test("hyperOf() rejects a beta of 1", () => {
  assert.throws(
    () => hyperOf({ lr: 1, beta2: 1 }),
    new RangeError("Cannot average moments as beta2 is in [0, 1): it is 1"),
  );
});

testOnDevices("adamw() rejects a gradient that is too small", (device) => {
  const x = device.alloc(8, "x"), grad = device.alloc(7, "seven");
  assert.throws(
    () =>
      adamw(device, { weight: x, grad, m: x, v: x, hyper: x, norm: x, correction: x }, {
        N: 8,
        decay: 0,
      }),
    new RangeError('Cannot launch adamw.step as grad needs 8 elements: "seven" has 7'),
  );
});
