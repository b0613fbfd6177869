/** The devices that every kernel test runs on. @module */
import { CpuDevice } from "../kernels/devices/cpu.ts";
import type { Device } from "../kernels/device.ts";
import { WebGpuDevice } from "../kernels/devices/webgpu.ts";
import type { WebGpuOptions } from "../kernels/devices/webgpu/adapter.ts";

/** Opens each device; a machine without an adapter fails the WebGPU tests, it never skips them. */
export const devices: Record<
  "cpu" | "webgpu",
  (options?: Pick<WebGpuOptions, "maxBinding">) => Promise<Device>
> = {
  cpu: (options) => Promise.resolve(new CpuDevice(options)),
  webgpu: (options) => WebGpuDevice.open(options),
};

/** Registers one test a device: "<device>: <name>". */
export function testOnDevices(
  name: string,
  body: (device: Device) => Promise<void> | void,
  options?: Pick<WebGpuOptions, "maxBinding">,
): void {
  for (const [kind, open] of Object.entries(devices)) {
    Deno.test(`${kind}: ${name}`, async () => {
      using device = await open(options);
      await body(device);
    });
  }
}
