import assert from "node:assert/strict";
import { testOnWebGpu } from "../../_devices.ts";
import { WebGpuDevice } from "../../../kernels/devices/webgpu.ts";
import { DeviceLostError, ShaderError } from "../../../kernels/devices/webgpu/faults.ts";
import { quote } from "../../../kernels/devices/webgpu/pipelines.ts";
import type { Kernel } from "../../../kernels/device.ts";
import { view } from "../../../kernels/tensor.ts";
import { floats, launchOf, SCALE } from "./_scale.ts";

const broken = (find: string, put: string): Kernel => ({
  ...SCALE,
  code: SCALE.code.replace(find, put),
});

testOnWebGpu("a kernel that does not compile is shown by its line, at every read", async () => {
  using device = await WebGpuDevice.open();
  const [x, out] = [floats(device, [1]), floats(device, [0])];
  const kernel = broken("dims.scale", "nonsense");
  device.launch({ ...launchOf(x, out, 1), kernel });
  const isShown = (error: unknown) => {
    assert.ok(error instanceof ShaderError, String(error));
    const [rule, line, marks, ...rest] = error.message.split("\n");
    assert.match(rule, /^Cannot compile scale\.main as its WGSL must be valid: .*nonsense/);
    const text = kernel.code.split("\n").find((one) => one.includes("nonsense"))!;
    const number = kernel.code.split("\n").indexOf(text) + 1;
    assert.equal(line, `  ${number} | ${text}`);
    assert.equal(marks, `     | ${" ".repeat(text.indexOf("nonsense"))}${"^".repeat(8)}`);
    assert.deepEqual(rest, []);
    return true;
  };
  await assert.rejects(() => device.read(out), isShown);
  await assert.rejects(() => device.read(x), isShown);
});

testOnWebGpu(
  "what a validator refuses is shown by its line, a missing entry point by its name",
  async () => {
    const messageOf = async (kernel: Kernel): Promise<string> => {
      using device = await WebGpuDevice.open();
      const [x, out] = [floats(device, [1]), floats(device, [0])];
      device.launch({ ...launchOf(x, out, 1), kernel });
      return await device.read(out).then(() => "", (error: Error) => error.message);
    };
    const wrongTypes = await messageOf(broken("f32(dims.shift)", "dims.shift"));
    assert.match(wrongTypes, /\n {2}13 \| .*\+ dims\.shift \+ dims\.last;\n {5}\| +\^/);
    const missing = await messageOf({ ...SCALE, entryPoint: "absent" });
    assert.match(missing, /^Cannot compile scale\.main as its WGSL must be valid: .*'absent'/);
  },
);

Deno.test("quote() marks what lies inside its line, and nothing where there is no line", () => {
  const code = "one\n\ttwo three\nfour";
  assert.equal(
    quote(code, { lineNum: 2, linePos: 6, length: 99 }),
    "\n  2 | \ttwo three\n    | \t    ^^^^^",
  );
  assert.equal(quote(code, { lineNum: 3, linePos: 5, length: 0 }), "\n  3 | four\n    |     ^");
  assert.equal(quote(code, { lineNum: 0, linePos: 0, length: 0 }), "");
});

testOnWebGpu("a binding that the launch leaves out surfaces at the next read", async () => {
  using device = await WebGpuDevice.open();
  const out = floats(device, [0]);
  const { bind: _, ...rest } = launchOf(out, out, 1);
  device.launch({ ...rest, bind: { out: [out, 1] } });
  await assert.rejects(() => device.read(out), /GPU validation failed/);
});

testOnWebGpu("a lost device says so, with the cure, at the next read and run", async () => {
  using device = await WebGpuDevice.open();
  const [x, out] = [floats(device, [1]), floats(device, [0])];
  using program = device.record("step", () => device.launch(launchOf(x, out, 1)));
  program.run();
  device.device.destroy();
  const lost = (error: unknown) =>
    error instanceof DeviceLostError &&
    /Cannot continue as the GPU device was lost: /.test(error.message) &&
    /Resume from the last checkpoint, or use --device cpu/.test(error.message);
  await assert.rejects(() => device.read(out), lost);
  assert.throws(() => program.run(), lost);
  assert.throws(() => device.launch(launchOf(x, out, 1)), lost);
  assert.throws(() => device.zero(out), lost);
  await assert.rejects(() => device.read(out), lost);
});

testOnWebGpu("large writes are submitted on the way, so that they are not held twice", async () => {
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

testOnWebGpu("a recording that fails gives its uniforms back", async () => {
  using device = await WebGpuDevice.open();
  const [x, out] = [floats(device, [1]), floats(device, [0])];
  let inside = 0;
  const failing = () => {
    device.launch(launchOf(x, out, 1));
    inside = device.memory.programs;
    throw new Error("half way");
  };
  assert.throws(() => device.record("step", failing), /half way/);
  assert.deepEqual([inside, device.memory.programs], [32, 0]);
  assert.deepEqual([...(await device.read(out))[0]], [0]);
});

testOnWebGpu("a device has no feature that nothing uses; timestamps where asked for", async () => {
  using plain = await WebGpuDevice.open();
  const { features } = plain.device;
  assert.deepEqual([features.has("shader-f16"), features.has("timestamp-query")], [false, false]);
  using timed = await WebGpuDevice.open({ adapter: "software", timestamps: true });
  assert.ok(timed.device.features.has("timestamp-query"));
});
