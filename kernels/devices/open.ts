/** Chooses a device: hardware adapter, else software adapter, else the CPU twins. @module */
import { CpuDevice } from "./cpu.ts";
import type { Device } from "../device.ts";
import { WebGpuDevice } from "./webgpu.ts";

/** What `--device` accepts. */
export type DeviceChoice = "auto" | "webgpu" | "cpu";

/**
 * Opens the best device of the wanted kind; `name` and `software` on it say which one it is.
 * @throws {Error} when "webgpu" was asked for and no adapter answers
 */
export async function openDevice(choice: DeviceChoice = "auto"): Promise<Device> {
  if (choice === "cpu") return new CpuDevice();
  if (choice === "webgpu") return await WebGpuDevice.open();
  return await WebGpuDevice.open().catch(() => new CpuDevice());
}
