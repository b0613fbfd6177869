import assert from "node:assert/strict";
import type { Kernel } from "../../../kernels/device.ts";
import { ALIGN, upload, view } from "../../../kernels/tensor.ts";
import { testOnDevices } from "../../_devices.ts";
import { floats, launchOf, read, SCALE } from "./_scale.ts";

testOnDevices("launch() rejects wrong names, dims and sizes", (device) => {
  const [x, out] = [floats(device, [1, 2], "two"), floats(device, [0, 0])];
  const good = launchOf(x, out, 1);
  const { N, ...lacking } = good.dims;
  const cases: [Partial<typeof good> | Record<string, unknown>, Error][] = [
    [
      { bind: { ...good.bind, y: [x, N] } },
      new TypeError('its WGSL declares no "y": it has x,out'),
    ],
    [{ dims: lacking }, new TypeError('dims lacks "N": it has shift,scale,spare,last')],
    [
      { dims: { ...good.dims, N: -1 } },
      new RangeError("N is u32, an integer of [0, 4294967295]: it is -1"),
    ],
    [
      { dims: { ...good.dims, shift: 0.5 } },
      new RangeError("shift is i32, an integer of [-2147483648, 2147483647]: it is 0.5"),
    ],
    [{ bind: { ...good.bind, x: [x, 3] } }, new RangeError('x needs 3 elements: "two" has 2')],
    [{ bind: { ...good.bind, x: [x, NaN] } }, new RangeError('x needs NaN elements: "two" has 2')],
    [{ threads: undefined }, new TypeError("it states neither threads nor groups")],
    [{ groups: [1, 65536] }, new RangeError("a grid has at most 65535 workgroups a side: 1,65536")],
    [
      { kernel: { ...SCALE, code: "fn main() {}" } },
      new TypeError('its WGSL declares no "struct Dims"'),
    ],
  ];
  for (const [change, { message, constructor }] of cases) {
    assert.throws(
      () => device.launch({ ...good, ...change } as typeof good),
      new (constructor as ErrorConstructor)(`Cannot launch scale.main as ${message}`),
    );
  }
});

testOnDevices("launch() rejects memory that is both read and written", (device) => {
  const whole = device.alloc(2 * ALIGN, "whole");
  const [x, out] = [view(whole, 0, 2), view(whole, ALIGN, 2)];
  assert.throws(
    () => device.launch(launchOf(x, out, 1)),
    new TypeError(
      'Cannot launch scale.main as x and out share the memory of "whole" and one of them writes; ' +
        "give one of them a buffer of its own",
    ),
  );
});

testOnDevices(
  "launch() lets two bindings write parts of one memory that do not meet",
  async (device) => {
    const kernel: Kernel = {
      label: "pair.main",
      entryPoint: "main",
      code: `
      struct Dims { N: u32 }
      @group(0) @binding(0) var<uniform> dims: Dims;
      @group(0) @binding(1) var<storage, read_write> a: array<f32>;
      @group(0) @binding(2) var<storage, read_write> b: array<f32>;
      @compute @workgroup_size(1) fn main() { a[0] = f32(dims.N); b[0] = 2.0; }`,
      twin({ a, b }, { N }): void {
        a[0] = N;
        b[0] = 2;
      },
    };
    const whole = upload(device, new Float32Array(2 * ALIGN), "whole");
    const [a, b] = [view(whole, 0, ALIGN), view(whole, ALIGN, ALIGN)];
    const dims = { N: 1 }, groups = [1] as const;
    device.launch({ kernel, dims, bind: { a: [a, ALIGN], b: [b, ALIGN] }, groups });
    const got = await read(device, whole);
    assert.deepEqual([got[0], got[ALIGN]], [1, 2]);
    assert.throws(
      () => device.launch({ kernel, dims, bind: { a: [whole, ALIGN + 1], b: [b, 1] }, groups }),
      /^TypeError: Cannot launch pair.main as a and b share the memory of "whole" and both write/,
    );
  },
);

testOnDevices(
  "launch() rejects a binding larger than the limit, with the cure",
  (device) => {
    assert.equal(device.limits.maxBinding, 512);
    const [x, out] = [device.alloc(129, "x"), device.alloc(129, "out")];
    device.launch(launchOf(x, out, 1, 128));
    assert.throws(
      () => device.launch(launchOf(x, out, 1)),
      new RangeError(
        "Cannot launch scale.main as one binding holds 512 bytes: x needs 516; launch it in row ranges",
      ),
    );
  },
  { maxBinding: 512 },
);
