/**
 * The devices that tests run on. Where a machine has no adapter the tests of the WGSL do not run, and
 * `deno task test` says so in its last lines; where CI is set they run and fail.
 * @module
 */
import { CpuDevice } from "../kernels/devices/cpu.ts";
import type { Device } from "../kernels/device.ts";
import { WebGpuDevice } from "../kernels/devices/webgpu.ts";
import type { WebGpuOptions } from "../kernels/devices/webgpu/adapter.ts";
import { NOT_RUN } from "../scripts/test/not_run.ts";

/** Kinds of devices. */
export type Kind = "cpu" | "webgpu";
type Options = Pick<WebGpuOptions, "maxBinding">;

/** Opens a device of each kind. */
const OPEN: Record<Kind, (options?: Options) => Promise<Device>> = {
  cpu: (options) => Promise.resolve(new CpuDevice(options)),
  webgpu: (options) => WebGpuDevice.open(options),
};

/** What a test of the WGSL may need: any adapter, one on the processor, 8 of its lanes that shuffle, Vulkan. */
export type Need = "adapter" | "software" | "eight lanes" | "vulkan";

const LACKS: Readonly<Record<Need, string>> = {
  adapter: "no WebGPU adapter answers",
  software: "no WebGPU adapter on the processor answers",
  "eight lanes": "no WebGPU adapter on the processor has subgroups of 8 or 16 lanes",
  vulkan: "no adapter answers through Vulkan",
};

/** Why tests with that need cannot run on this machine; undefined where they can, or must. */
export async function lacking(need: Need): Promise<string | undefined> {
  if (Deno.env.get("CI")) return undefined;
  if (!await has("adapter")) return LACKS.adapter; // whatever else there is not either
  return await has(need) ? undefined : LACKS[need];
}

async function has(need: Need): Promise<boolean> {
  if (need === "adapter") return !!await navigator.gpu?.requestAdapter();
  if (need === "vulkan") return await answersThroughVulkan();
  const adapter = await navigator.gpu?.requestAdapter({ forceFallbackAdapter: true });
  if (!adapter || need === "software") return !!adapter;
  const { subgroupMinSize, subgroupMaxSize } = adapter.info;
  return subgroupMinSize === subgroupMaxSize && [8, 16].includes(subgroupMinSize);
}

/** An adapter does not tell what it answers through, so that a process is asked that has nothing else. */
async function answersThroughVulkan(): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", "if (!await navigator.gpu?.requestAdapter()) Deno.exit(1);"],
    env: { DENO_WEBGPU_BACKEND: "vulkan" },
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

const lacksAdapter = await lacking("adapter");

/** Notes for the last lines of `deno task test` that one test of the WGSL does not run. */
function noteNotRun(reason: string): void {
  const file = Deno.env.get(NOT_RUN);
  if (file) Deno.writeTextFileSync(file, `${reason}\n`, { append: true });
}

/** Registers "webgpu: <name>", which `lacks` says why this machine cannot run. */
export function testOnWebGpu(
  name: string,
  body: () => Promise<void> | void,
  lacks: string | undefined = lacksAdapter,
): void {
  if (lacks !== undefined) noteNotRun(lacks);
  Deno.test({ name: `webgpu: ${name}`, ignore: lacks !== undefined, fn: body });
}

/** Registers one test a kind: "<kind>: <name>". */
export function testOnKinds(name: string, body: (kind: Kind) => Promise<void> | void): void {
  Deno.test(`cpu: ${name}`, () => body("cpu"));
  testOnWebGpu(name, () => body("webgpu"));
}

/** Registers one test a device: "<kind>: <name>". */
export function testOnDevices(
  name: string,
  body: (device: Device) => Promise<void> | void,
  options?: Options,
): void {
  testOnKinds(name, async (kind) => {
    using device = await OPEN[kind](options);
    await body(device);
  });
}
