import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { ALIGN, upload, view } from "../../../kernels/tensor.ts";
import type { Kernel } from "../../../kernels/device.ts";
import { relu } from "../../../kernels/relu.ts";
import { Scope } from "../../../kernels/scope.ts";
import { openDevice } from "../../../kernels/devices/open.ts";
import { testOnDevices, testOnWebGpu } from "../../_devices.ts";
import { floats, launchOf, read, SCALE } from "./_scale.ts";

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
      new RangeError(`Cannot allocate t as its length is not a positive integer: ${length}`),
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

testOnDevices(
  "kernels of one label but other code stay apart",
  async (device) => {
    const [x, out] = [floats(device, [1, 1]), floats(device, [0, 0])];
    const plus = (n: number): Kernel => ({
      label: SCALE.label,
      entryPoint: SCALE.entryPoint,
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

testOnWebGpu("openDevice() opens the kind that is asked for, and auto opens one", async () => {
  using cpu = await openDevice("cpu");
  using gpu = await openDevice("webgpu");
  using any = await openDevice();
  assert.deepEqual([cpu.kind, gpu.kind, any.kind], ["cpu", "webgpu", "webgpu"]);
  assert.ok(cpu.software && cpu.name.includes("twins") && gpu.name !== "");
  assert.ok(gpu.limits.maxBinding % 256 === 0 && gpu.limits.maxBuffer >= gpu.limits.maxBinding);
});

testOnDevices("a storage counts the work that writes to it", (device) => {
  using scope = new Scope(device);
  const [x, out, other] = ["x", "out", "other"].map((label) => scope.alloc(4, label));
  const counts = () => [x, out, other].map(({ storage }) => storage.writes);
  let before = counts();
  const grew = (): number[] => {
    const now = counts(), by = now.map((count, i) => count - before[i]);
    before = now;
    return by;
  };
  device.write(x, [1, 2]);
  device.write(x, []);
  assert.deepEqual(grew(), [1, 0, 0]);
  device.zero(other);
  assert.deepEqual(grew(), [0, 0, 1]);
  relu(device, { x, out }, { N: 4 });
  assert.deepEqual(grew(), [0, 1, 0], "a launch, of what it reads and what it writes");
  const program = scope.record("twice", () => {
    relu(device, { x, out }, { N: 4 });
    relu(device, { x: out, out: other }, { N: 4 });
    device.zero(out);
  });
  assert.deepEqual(grew(), [0, 0, 0], "what was recorded did not run");
  program.run();
  program.run();
  assert.deepEqual(grew(), [0, 2, 2]);
});
