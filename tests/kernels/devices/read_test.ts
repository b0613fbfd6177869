import assert from "node:assert/strict";
import { testOnWebGpu } from "../../_devices.ts";
import { WebGpuDevice } from "../../../kernels/devices/webgpu.ts";
import { view } from "../../../kernels/tensor.ts";
import { floats, launchOf } from "./_scale.ts";

/** Counts the buffers that a device makes from now on. */
function buffersOf({ device }: WebGpuDevice): { made: number } {
  const counted = { made: 0 }, create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    counted.made++;
    return create(descriptor);
  };
  return counted;
}

testOnWebGpu("a read takes no new buffer, and in this Deno does not sleep 10 ms", async () => {
  using device = await WebGpuDevice.open();
  const x = floats(device, [1, 2, 3]);
  await device.read(x); // the first waits, see MAPS_IN_CALL in kernels/devices/webgpu/read.ts
  const buffers = buffersOf(device);
  let least = Infinity;
  for (let i = 0; i < 20; i++) {
    device.write(x, [i], 1);
    const from = performance.now();
    const [got] = await device.read(x);
    least = Math.min(least, performance.now() - from);
    assert.deepEqual([...got], [1, i, 3]);
  }
  assert.equal(buffers.made, 0);
  // Where a new Deno fails here: try it, then let MAPS_IN_CALL name it.
  assert.ok(least < 9, `${least} ms`);
});

testOnWebGpu("reads of any size, after each other and at once, give what was written", async () => {
  using device = await WebGpuDevice.open();
  const sizes = [1, 1023, 1025, 2 ** 18, 2 ** 18 + 3, 7]; // around what is kept, and more
  const tensors = sizes.map((size) =>
    floats(device, Array.from({ length: size }, (_, i) => size + i))
  );
  const right = (data: ArrayLike<number>, size: number) => {
    assert.equal(data.length, size);
    assert.deepEqual([data[0], data[size - 1]], [size, 2 * size - 1]);
  };
  for (let round = 0; round < 3; round++) {
    for (const [i, size] of sizes.entries()) right((await device.read(tensors[i]))[0], size);
    const all = await Promise.all(tensors.map((tensor) => device.read(tensor)));
    all.forEach(([data], i) => right(data, sizes[i]));
  }
  const buffers = buffersOf(device);
  await device.read(view(tensors[4], 0, 2 ** 18)); // 1 MiB: the largest that is kept
  assert.equal(buffers.made, 0);
});

testOnWebGpu(
  "an invalid launch surfaces at the very next read, and at those after it",
  async () => {
    using device = await WebGpuDevice.open();
    const out = floats(device, [0]);
    for (let i = 0; i < 3; i++) await device.read(out);
    const { bind: _, ...rest } = launchOf(out, out, 1);
    device.launch({ ...rest, bind: { out: [out, 1] } });
    for (let i = 0; i < 3; i++) {
      await assert.rejects(
        () => device.read(out),
        /GPU validation failed/,
      );
    }
  },
);

testOnWebGpu("timers have their turn in a loop of reads", async () => {
  using device = await WebGpuDevice.open();
  const x = floats(device, [1]);
  await device.read(x); // which sleeps, and so would give them one
  let rang = false;
  const timer = setTimeout(() => rang = true, 5);
  const until = performance.now() + 5000;
  while (!rang && performance.now() < until) await device.read(x);
  clearTimeout(timer);
  assert.ok(rang);
});
