/** Copies tensors back to the host. @module */
import type { HostArray, Tensor } from "../../device.ts";
import { bufferOf, createBuffer, sizeOf, startOf } from "./buffers.ts";
import type { Faults } from "./faults.ts";

/** How many milliseconds after a refused mapping its reason is waited for: an event a turn or two later. */
const REASON_MS = 50;

/** What a read needs of its device. */
export interface ReadAccess {
  readonly faults: Faults;
  submit(commands: GPUCommandBuffer[]): void;
}

/**
 * Copies of `tensors`, once all of the queue's work is done.
 * @throws {Error} the error that is known by then
 */
export async function readBack(
  tensors: readonly Tensor[],
  { faults, submit }: ReadAccess,
): Promise<HostArray[]> {
  const size = Math.max(4, tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0));
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = createBuffer(faults, { label: "staging", size, usage });
  try {
    submit([copyInto(staging, tensors, faults.device)]);
    await staging.mapAsync(GPUMapMode.READ).catch(async (error: unknown) => {
      await Promise.race([faults.device.lost, new Promise((done) => setTimeout(done, REASON_MS))]);
      throw await faults.settled() ?? error;
    });
    const error = await faults.settled();
    if (error) throw error;
    return copiesFrom(staging.getMappedRange(), tensors);
  } finally {
    staging.destroy();
  }
}

function copyInto(
  staging: GPUBuffer,
  tensors: readonly Tensor[],
  device: GPUDevice,
): GPUCommandBuffer {
  const encoder = device.createCommandEncoder({ label: "read" });
  let at = 0;
  for (const tensor of tensors) {
    const bytes = sizeOf(tensor);
    encoder.copyBufferToBuffer(bufferOf(tensor), startOf(tensor), staging, at, bytes);
    at += bytes;
  }
  return encoder.finish();
}

function copiesFrom(mapped: ArrayBuffer, tensors: readonly Tensor[]): HostArray[] {
  let at = 0;
  return tensors.map((tensor) => {
    const { dtype, length } = tensor;
    const bytes = mapped.slice(at, at += sizeOf(tensor));
    if (dtype === "f16") return new Float32Array(new Float16Array(bytes, 0, length));
    return dtype === "u32" ? new Uint32Array(bytes) : new Float32Array(bytes);
  });
}
