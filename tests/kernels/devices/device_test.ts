import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import {
  ALIGN,
  align,
  type Device,
  type Kernel,
  rowRanges,
  Scope,
  type Tensor,
  upload,
  view,
} from "../../../kernels/device.ts";
import { openDevice } from "../../../kernels/devices/open.ts";
import { DeviceLostError, WebGpuDevice } from "../../../kernels/devices/webgpu.ts";
import { devices, testOnDevices } from "../../_devices.ts";

/** out[i] = scale * x[i] + out[i], for i below N. */
const SCALE: Kernel = {
  label: "scale.main",
  code: `
    override WORKGROUP: u32;
    struct Dims {
      N: u32, // comments between fields are no fields: a: b
      shift: i32, scale: f32, spare: u32, last: f32,
    }
    @group(0) @binding(0) var<uniform> dims: Dims;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> out: array<f32>;
    @compute @workgroup_size(WORKGROUP)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= dims.N) { return; }
      out[id.x] += dims.scale * x[id.x] + f32(dims.shift) + dims.last;
    }`,
  twin({ x, out }, { N, scale, shift, last }): void {
    for (let i = 0; i < N; i++) out[i] += scale * x[i] + shift + last;
  },
};
const launchOf = (x: Tensor, out: Tensor, scale: number, N = x.length) => ({
  kernel: SCALE,
  dims: { N, shift: 0, scale, spare: 0, last: 0 },
  bind: { x: [x, N], out: [out, N] },
  threads: N,
} as const);
const floats = (device: Device, values: number[], label = "x") =>
  upload(device, Float32Array.from(values), label);
const read = async (device: Device, tensor: Tensor) => [...(await device.read(tensor))[0]];

testOnDevices(
  "launch() runs at once, and each dim arrives by its declared type",
  async (device) => {
    const [x, out] = [floats(device, [1, 2, 3]), floats(device, [10, 20, 30])];
    const { kernel, bind } = launchOf(x, out, 2);
    const dims = { N: 3, shift: -5, scale: 2.5, spare: 4e9, last: 0.25 };
    device.launch({ kernel, dims, bind, threads: 3 });
    assert.deepEqual(await read(device, out), [7.75, 20.25, 32.75]);
  },
);

testOnDevices(
  "record() runs nothing; run() replays the list in order, again and again",
  async (device) => {
    const [x, out] = [floats(device, [1, 2, 3]), floats(device, [0, 0, 0])];
    using program = device.record("double", () => {
      device.launch(launchOf(x, out, 1));
      device.launch(launchOf(out, x, 1));
    });
    assert.equal(program.length, 2);
    assert.deepEqual(await read(device, x), [1, 2, 3]);
    program.run();
    assert.deepEqual(await read(device, x), [2, 4, 6]);
    device.write(x, [1, 0, 0]); // between runs: out is [1, 2, 3]
    program.run();
    assert.deepEqual(await read(device, x), [3, 2, 3]);
    program.run();
    assert.deepEqual(await read(device, out), [5, 4, 6]);
  },
);

testOnDevices(
  "zero() clears a tensor, at once or as a recorded step, and no neighbour",
  async (device) => {
    const whole = upload(device, new Float32Array(3 * ALIGN).fill(1), "whole");
    const middle = view(whole, ALIGN, 3);
    using program = device.record("clear", () => {
      device.zero(middle);
      device.launch(launchOf(floats(device, [5, 5, 5]), middle, 1));
    });
    assert.equal(program.length, 2);
    assert.deepEqual(await read(device, middle), [1, 1, 1]);
    program.run();
    program.run();
    assert.deepEqual(await read(device, middle), [5, 5, 5]);
    device.zero(middle);
    const got = await read(device, whole);
    assert.deepEqual(got, got.map((_, i) => i >= ALIGN && i < ALIGN + 3 ? 0 : 1));
  },
);

testOnDevices(
  "a failed recording leaves the device usable, and recordings do not nest",
  async (device) => {
    const [x, out] = [floats(device, [1]), floats(device, [0])];
    assert.throws(
      () =>
        device.record("outer", () => {
          device.launch(launchOf(x, out, 1));
          device.record("inner", () => {});
        }),
      new Error("Cannot record inner inside another recording"),
    );
    device.launch(launchOf(x, out, 3));
    assert.deepEqual(await read(device, out), [3]);
  },
);

testOnDevices(
  "write() fills from an element on, whatever kind of numbers it is given",
  async (device) => {
    const tensor = floats(device, [0, 0, 0, 0, 0]), ids = device.alloc(3, "ids", "u32");
    device.write(tensor, [1.5, 2.5], 3);
    device.write(tensor, Float64Array.of(7), 1);
    device.write(tensor, []);
    device.write(ids, [1, 2, 3]);
    device.write(ids, Uint32Array.of(0xffffffff), 1);
    const [floatsRead, idsRead] = await device.read(tensor, ids);
    assert.deepEqual([...floatsRead], [0, 7, 0, 1.5, 2.5]);
    assert.deepEqual(idsRead, Uint32Array.of(1, 0xffffffff, 3));
  },
);

testOnDevices("write() rejects data past the end and a fractional position", (device) => {
  const tensor = device.alloc(3, "three");
  const refusal = (from: number, to: number) =>
    new RangeError(`Cannot write three as it has 3 elements: [${from}, ${to}) was asked`);
  assert.throws(() => device.write(tensor, [1, 2], 2), refusal(2, 4));
  assert.throws(() => device.write(tensor, [1], -1), refusal(-1, 0));
  assert.throws(() => device.write(tensor, [1], 0.5), refusal(0.5, 1.5));
});

testOnDevices("view() is a window on the same memory", async (device) => {
  const whole = upload(device, Float32Array.from({ length: 200 }, (_, i) => i), "whole");
  const part = view(view(whole, 64, 130), 64, 5, "part");
  assert.deepEqual(await read(device, part), [128, 129, 130, 131, 132]);
  device.write(part, [-1], 4);
  device.launch(launchOf(floats(device, [10, 10]), part, 1, 2));
  const got = await read(device, whole);
  assert.deepEqual(got.slice(127, 134), [127, 138, 139, 130, 131, -1, 133]);
  assert.equal(part.label, "part");
});

Deno.test("view() rejects unaligned, empty and overlong windows", () => {
  using device = new CpuDevice();
  const tensor = device.alloc(130, "t");
  for (const [start, length] of [[1, 5], [-64, 5], [64, 67], [64, 0], [0, 1.5], [NaN, 1]]) {
    assert.throws(
      () => view(tensor, start, length),
      new RangeError(
        `Cannot view t[${start}, ${start + length}) as views start at a multiple of 64, are not ` +
          "empty and end inside the tensor: it has 130 elements",
      ),
    );
  }
  assert.deepEqual([align(1), align(64), align(65)], [64, 64, 128]);
});

testOnDevices("ten thousand rounds of alloc and free do not grow what is held", (device) => {
  const round = () => {
    using scope = new Scope(device);
    for (const length of [1000, 10, 1000, 70]) scope.alloc(length, "t");
  };
  round();
  const { held, live } = device.memory;
  assert.equal(held, 2 * 4096 + 256 + 512);
  assert.equal(live, 0);
  for (let i = 0; i < 10_000; i++) round();
  assert.deepEqual(device.memory, { live: 0, held, peak: held, programs: 0 });
  const tensor = device.alloc(1000, "t");
  assert.deepEqual(device.memory, { live: 4096, held, peak: held, programs: 0 });
  device.trim();
  assert.deepEqual(device.memory, { live: 4096, held: 4096, peak: held, programs: 0 });
  device.free(tensor);
});

testOnDevices("a thousand launches and replays leave memory as it was", async (device) => {
  const [x, out] = [floats(device, [1]), floats(device, [0])];
  using program = device.record("add", () => device.launch(launchOf(x, out, 1)));
  const before = device.memory;
  for (let i = 0; i < 500; i++) {
    program.run();
    device.launch(launchOf(x, out, 1));
  }
  assert.deepEqual(await read(device, out), [1000]);
  assert.deepEqual(device.memory, before);
});

testOnDevices("alloc() rejects lengths that are no positive integers, or too large", (device) => {
  for (const length of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(
      () => device.alloc(length, "t"),
      new RangeError(`Cannot allocate t as its length is no positive integer: ${length}`),
    );
  }
  assert.throws(
    () => device.alloc(2 ** 40, "t"),
    /^RangeError: Cannot allocate t as one buffer holds/,
  );
});

testOnDevices(
  "a tensor that was freed cannot be freed, written, read or launched again",
  (device) => {
    const [x, out] = [floats(device, [1], "gone"), floats(device, [1], "out")];
    device.free(x);
    const check = () => {
      assert.throws(
        () => device.free(x),
        new Error("Cannot free gone as it is not in use: it was freed before"),
      );
      assert.throws(
        () => device.write(x, [1]),
        new Error("Cannot write gone as it must be live: it was freed"),
      );
      assert.throws(() => device.zero(x), /Cannot zero gone as it must be live/);
      assert.throws(
        () => device.launch(launchOf(x, out, 1)),
        new Error('Cannot launch scale.main as x must be live: "gone" was freed'),
      );
    };
    check();
    const next = device.alloc(1, "next"); // the same memory, handed out again
    check();
    device.free(next);
  },
);

testOnDevices("read() rejects a freed tensor", async (device) => {
  const x = floats(device, [1], "gone");
  device.free(x);
  await assert.rejects(
    async () => await device.read(x),
    new Error("Cannot read gone as it must be live: it was freed"),
  );
});

testOnDevices("run() rejects a program whose tensor was freed, or that was disposed", (device) => {
  const [x, out] = [floats(device, [1], "gone"), floats(device, [0])];
  const program = device.record("step", () => device.launch(launchOf(x, out, 1)));
  const cleared = device.record("clear", () => device.zero(x));
  device.free(x);
  floats(device, [1], "next"); // takes the memory of "gone"
  assert.throws(
    () => program.run(),
    new Error('Cannot run step as its tensors must be live: "gone" was freed; record it again'),
  );
  assert.throws(() => cleared.run(), /"gone" was freed/);
  program[Symbol.dispose]();
  assert.throws(() => program.run(), new Error("Cannot run step as it was disposed"));
});

testOnDevices("Scope frees its tensors and programs when it ends", (device) => {
  let program;
  {
    using scope = new Scope(device);
    const x = scope.alloc(5, "x");
    program = scope.record("clear", () => device.zero(x));
    assert.ok(device.memory.live > 0);
  }
  assert.equal(device.memory.live, 0);
  assert.throws(() => program.run(), /Cannot run clear as it was disposed/);
});

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

for (const [kind, open] of Object.entries(devices)) {
  Deno.test(`${kind}: launch() rejects a binding larger than the limit, with the cure`, async () => {
    using device = await open({ maxBinding: 512 });
    assert.equal(device.limits.maxBinding, 512);
    const [x, out] = [device.alloc(129, "x"), device.alloc(129, "out")];
    device.launch(launchOf(x, out, 1, 128));
    assert.throws(
      () => device.launch(launchOf(x, out, 1)),
      new RangeError(
        "Cannot launch scale.main as one binding holds 512 bytes: x needs 516; launch it in row ranges",
      ),
    );
  });
}

Deno.test("rowRanges() covers all rows with aligned ranges that fit one binding", () => {
  const limits = { maxBinding: 4096, maxBuffer: 2 ** 30 };
  assert.deepEqual(rowRanges(limits, { R: 16, C: 64 }), [[0, 16]]);
  assert.deepEqual(rowRanges(limits, { R: 17, C: 64 }), [[0, 16], [16, 17]]);
  for (const C of [1, 3, 6, 12, 15]) {
    const ranges = rowRanges(limits, { R: 1000, C });
    assert.equal(ranges[0][0], 0);
    assert.equal(ranges.at(-1)![1], 1000);
    for (const [i, [start, end]] of ranges.entries()) {
      assert.ok((end - start) * C * 4 <= 4096 && start * C % ALIGN === 0 && end > start);
      if (i > 0) assert.equal(start, ranges[i - 1][1]);
    }
  }
  assert.throws(
    () => rowRanges(limits, { R: 1000, C: 63 }),
    new RangeError(
      "Cannot bind 64 rows of 63 elements as one binding holds 4096 bytes: they need 16128",
    ),
  );
});

testOnDevices(
  "kernels of one label but other code stay apart",
  async (device) => {
    const [x, out] = [floats(device, [1, 1]), floats(device, [0, 0])];
    const plus = (n: number): Kernel => ({
      label: SCALE.label,
      code: SCALE.code.replace("+ dims.last", `+ ${n}.0`),
      twin: ({ out }): void => out.forEach((y: number, i: number) => out[i] = y + 1 + n),
    });
    for (const n of [1, 2]) device.launch({ ...launchOf(x, out, 1), kernel: plus(n) });
    assert.deepEqual(await read(device, out), [5, 5]);
  },
);

testOnDevices("read() gives several tensors at once, each a copy", async (device) => {
  const [x, ids] = [floats(device, [1, 2]), upload(device, Uint32Array.of(3), "ids")];
  const [first, second] = await device.read(x, ids);
  assert.ok(first instanceof Float32Array && second instanceof Uint32Array);
  first[0] = 99;
  assert.deepEqual(await read(device, x), [1, 2]);
  assert.deepEqual(await device.read(), []);
});

Deno.test("CpuDevice in f64 keeps what f32 cannot", async () => {
  using device = new CpuDevice({ precision: "f64" });
  const [x, out] = [device.alloc(1, "x"), device.alloc(1, "out")];
  device.write(x, [1e-12]);
  device.write(out, [1]);
  device.launch(launchOf(x, out, 1));
  const [got] = await device.read(out);
  assert.ok(got instanceof Float64Array);
  assert.equal(got[0], 1 + 1e-12);
});

Deno.test("webgpu: invalid WGSL surfaces at the next read, and at every read after it", async () => {
  using device = await WebGpuDevice.open();
  const [x, out] = [floats(device, [1]), floats(device, [0])];
  const kernel = { ...SCALE, code: SCALE.code.replace("dims.scale", "nonsense") };
  device.launch({ ...launchOf(x, out, 1), kernel });
  await assert.rejects(() => device.read(out), /GPU validation failed: [^]*nonsense/);
  await assert.rejects(() => device.read(x), /GPU validation failed: [^]*nonsense/);
});

Deno.test("webgpu: a binding that the launch leaves out surfaces at the next read", async () => {
  using device = await WebGpuDevice.open();
  const out = floats(device, [0]);
  const { bind: _, ...rest } = launchOf(out, out, 1);
  device.launch({ ...rest, bind: { out: [out, 1] } });
  await assert.rejects(() => device.read(out), /GPU validation failed/);
});

Deno.test("webgpu: a lost device says so, with the cure, at the next read and run", async () => {
  using device = await WebGpuDevice.open();
  const [x, out] = [floats(device, [1]), floats(device, [0])];
  using program = device.record("step", () => device.launch(launchOf(x, out, 1)));
  program.run();
  device.device.destroy();
  const lost = (error: unknown) =>
    error instanceof DeviceLostError &&
    /Cannot go on as the GPU device was lost: /.test(error.message) &&
    /Resume from the last checkpoint, or use --device cpu/.test(error.message);
  await assert.rejects(() => device.read(out), lost);
  assert.throws(() => program.run(), lost);
  assert.throws(() => device.launch(launchOf(x, out, 1)), lost);
  assert.throws(() => device.zero(out), lost);
  await assert.rejects(() => device.read(out), lost);
});

Deno.test("openDevice() opens the kind that is asked for, and auto opens one", async () => {
  using cpu = await openDevice("cpu");
  using gpu = await openDevice("webgpu");
  using any = await openDevice();
  assert.deepEqual([cpu.kind, gpu.kind, any.kind], ["cpu", "webgpu", "webgpu"]);
  assert.ok(cpu.software && cpu.name.includes("twins") && gpu.name !== "");
  assert.ok(gpu.limits.maxBinding % 256 === 0 && gpu.limits.maxBuffer >= gpu.limits.maxBinding);
});

Deno.test("webgpu: large writes are submitted on the way, so that they are not held twice", async () => {
  using device = await WebGpuDevice.open();
  const { queue } = device.device, submit = queue.submit.bind(queue);
  let submissions = 0;
  queue.submit = (commands) => {
    submissions++;
    return submit(commands);
  };
  const block = new Float32Array(2 ** 22).fill(3); // 16 MiB
  const out = device.alloc(block.length, "out");
  const seen: number[] = [];
  for (let i = 0; i < 9; i++) {
    device.write(out, block);
    seen.push(submissions);
  }
  assert.deepEqual(seen, [0, 0, 0, 1, 1, 1, 1, 2, 2]);
  assert.equal((await device.read(view(out, 0, 4)))[0][3], 3);
  for (let i = 0; i < 3; i++) device.write(out, block);
  assert.equal(submissions, 3); // the read's own
});
