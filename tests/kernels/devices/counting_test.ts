import assert from "node:assert/strict";
import { CountingDevice } from "../../../kernels/devices/counting.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import type { Device } from "../../../kernels/device.ts";
import { matmul } from "../../../kernels/matmul.ts";
import { OutOfMemoryError, Pool } from "../../../kernels/devices/pool.ts";
import { lacking, testOnDevices, testOnWebGpu } from "../../_devices.ts";

/** Allocates, frees, reuses and trims. */
function churn(device: Device): void {
  const a = device.alloc(1000, "a", "f32", "logits"), b = device.alloc(3, "b", "u32", "cache");
  device.free(a);
  const again = device.alloc(1000, "again", "f32", "logits"); // the memory of a
  device.alloc(500, "c", "f32", "weights");
  device.free(again);
  device.alloc(2000, "d", "f32", "gradients"); // the peak: b, c, d, and what again left behind
  device.trim();
  device.free(b);
  device.alloc(1, "e", "f32", "moments");
}

testOnDevices("a counting device counts what the device itself holds", (device) => {
  using counting = new CountingDevice(device);
  const before = device.memory;
  churn(device);
  churn(counting);
  const { live, held, peak } = counting.memory;
  const real = device.memory;
  assert.deepEqual(
    [live, held, peak],
    [real.live - before.live, real.held - before.held, real.peak],
  );
  const { kind, name, software, limits, features } = counting;
  assert.deepEqual(
    { kind, name, software, limits, features: [...features] },
    {
      kind: device.kind,
      name: device.name,
      software: device.software,
      limits: device.limits,
      features: [...device.features],
    },
  );
});

Deno.test("peakByKind says what the peak was for, and adds up to it", () => {
  using counting = new CountingDevice(new CpuDevice());
  churn(counting);
  const bytes = { cache: 256, gradients: 8192, other: 4096, weights: 2048 };
  assert.deepEqual(Object.fromEntries([...counting.peakByKind].sort()), bytes);
  assert.equal(counting.memory.peak, Object.values(bytes).reduce((sum, n) => sum + n));
  counting.alloc(4000, "f", "f32", "weights"); // a new peak
  assert.equal(counting.peakByKind.get("weights"), 2048 + 16128);
  assert.equal(counting.peakByKind.get("moments"), 256);
  assert.equal(counting.peakByKind.has("other"), false); // e has the memory that b left
});

Deno.test("what is freed after the peak was still there at the peak, and without a kind is other", () => {
  using counting = new CountingDevice(new CpuDevice());
  counting.free(counting.alloc(64, "gone", "f32", "cache"));
  counting.alloc(64, "reuse", "f32", "logits"); // no new peak
  assert.deepEqual([...counting.peakByKind], [["cache", 256]]);
  counting.alloc(128, "unknown");
  assert.deepEqual([...counting.peakByKind], [["logits", 256], ["other", 512]]);
});

Deno.test("a counting device refuses what a device would: launches, stale memory, reads", async () => {
  using counting = new CountingDevice(new CpuDevice({ maxBinding: 1024 }));
  const [a, b, out] = ["a", "b", "out"].map((name) => counting.alloc(256, name));
  const product = () => matmul(counting, { a, b, out }, { M: 16, N: 16, K: 16, orientation: "NN" });
  const program = counting.record("step", () => {
    product();
    counting.zero(out);
  });
  assert.equal(program.length, 2);
  program.run();
  const wide = counting.alloc(1024, "wide");
  assert.throws(
    () => matmul(counting, { a: wide, b, out }, { M: 64, N: 4, K: 16, orientation: "NN" }),
    /RangeError: Cannot launch matmul.* one binding holds 1024 bytes: a needs 4096/,
  );
  assert.throws(() => counting.write(out, new Float32Array(257)), RangeError);
  assert.throws(() => counting.alloc(2 ** 31, "huge"), /Cannot allocate huge as one buffer holds/);
  assert.throws(() => counting.record("a", () => counting.record("b", () => {})), /inside another/);
  counting.free(out);
  assert.throws(() => program.run(), /"out" was freed/);
  await assert.rejects(() => counting.read(a, b), /Cannot read a, b as this device only counts/);
});

Deno.test("memory that cannot be had is told with its name and size", () => {
  let left = 2;
  const pool = new Pool(
    (bytes) => {
      if (left-- === 0) throw new RangeError("Array buffer allocation failed");
      return { bytes, live: true as boolean, writes: 0 };
    },
    () => {},
    2 ** 32,
  );
  pool.alloc(2 ** 20, "one", "f32", 4);
  pool.alloc(2 ** 20, "two", "f32", 4);
  assert.throws(() => pool.alloc(3 * 2 ** 18, "three", "f32", 4), (error) => {
    assert.ok(error instanceof OutOfMemoryError);
    assert.deepEqual([error.label, error.bytes, error.held], ["three", 3 * 2 ** 20, 2 ** 23]);
    assert.match(error.message, /^Cannot allocate three as the device has no 3 MiB left: 8 MiB/);
    assert.match(String(error.cause), /Array buffer allocation failed/);
    return true;
  });
  assert.equal(pool.memory.held, 2 ** 23);
});

testOnWebGpu(
  "a driver without memory is told as such, and not as the errors that follow",
  async () => {
    const module = new URL("../../../kernels/devices/webgpu.ts", import.meta.url).href;
    const code = `import { WebGpuDevice } from "${module}";
      const device = await WebGpuDevice.open();
      for (let i = 0; i < 96; i++) device.write(device.alloc(2 ** 28, "block " + i), [1]);
      for (let i = 0; i < 2; i++) await device.read().catch((error) => console.log(String(error)));`;
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(file, code);
      // Addresses, not memory: V8 reserves 18 GB of them, at times twice that to place it well, and the
      // blocks are never touched.
      const run = `ulimit -v 80000000 && exec "$0" run --no-check --no-prompt --allow-read "$1"`;
      const { stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", run, Deno.execPath(), file],
      }).output();
      const lines = new TextDecoder().decode(stdout).trim().split("\n");
      assert.equal(lines.length, 2, new TextDecoder().decode(stderr));
      for (const line of lines) {
        assert.match(
          line,
          /^OutOfMemoryError: Cannot allocate block \d+ as the device has no 1024 MiB left: \d+ MiB are held already; use/,
        );
      }
      const [, block, held] = lines[0].match(/block (\d+) .*: (\d+) MiB/)!;
      assert.equal(Number(held), 1024 * Number(block));
    } finally {
      await Deno.remove(file);
    }
  },
  // Elsewhere there is no limit to set on a process alone, and OpenGL does not say what it lacks.
  Deno.build.os === "linux" ? await lacking("vulkan") : "a process has no limit of its own here",
);
