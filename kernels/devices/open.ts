/** Chooses a device: hardware adapter, else software adapter, else the CPU twins. @module */
import { CpuDevice } from "./cpu.ts";
import type { Device } from "../device.ts";
import { WebGpuDevice } from "./webgpu.ts";

/** What `--device` accepts. */
export type DeviceChoice = "auto" | "webgpu" | "cpu";

/**
 * Opens the best device of the wanted kind; `name` and `software` on it say which one it is. Where "auto"
 * comes to the twins, which are several times slower, `warn` is told why no adapter was taken.
 * @throws {Error} when "webgpu" was asked for and no adapter gives a device
 */
export async function openDevice(
  choice: DeviceChoice = "auto",
  warn: (line: string) => void = console.warn,
): Promise<Device> {
  if (choice === "cpu") return new CpuDevice();
  if (choice === "webgpu") return await WebGpuDevice.open();
  try {
    return await WebGpuDevice.open();
  } catch (error) {
    warn(`The TypeScript twins compute, slower than WebGPU would. ${(error as Error).message}`);
    return new CpuDevice();
  }
}
