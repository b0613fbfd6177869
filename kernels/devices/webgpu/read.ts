/** Copies tensors back to the host. @module */
import type { HostArray, Tensor } from "../../device.ts";
import { bufferOf, sizeOf, startOf } from "./buffers.ts";
import type { Faults } from "./faults.ts";
import type { Staging, StagingBuffer } from "./staging.ts";
import type { Submissions } from "./submissions.ts";

/** How many milliseconds after a refused mapping its reason is waited for: an event a turn or two later. */
const REASON_MS = 50;

/**
 * Runtimes that wait for the queue inside the call of `mapAsync`: the buffer is mapped when it returns,
 * though its promise resolves 10 ms later, as that is how long they sleep before they look. WebGPU has
 * `getMappedRange` throw where a buffer is not mapped yet, but Deno panics where it never was
 * (`map_mode.unwrap()` in ext/webgpu/buffer.rs): only releases that a test has seen do it are asked early.
 */
const MAPS_IN_CALL = globalThis.navigator?.userAgent.startsWith("Deno/2.9.") ?? false;

/**
 * Copies of `tensors`, once all of the queue's work is done.
 * @throws {Error} the error that is known by then
 */
export async function readBack(
  tensors: readonly Tensor[],
  staging: Staging,
  submissions: Submissions,
): Promise<HostArray[]> {
  const { faults } = staging;
  const size = Math.max(4, tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0));
  const target = staging.take(size);
  try {
    submissions.submit([copyInto(target.buffer, tensors, faults.device)]);
    const mapped = await mappedRange(target, size, faults);
    submissions.done();
    const copies = copiesFrom(mapped, tensors);
    target.buffer.unmap();
    await eventLoopTurn();
    const error = await faults.settled();
    if (error) throw error;
    staging.giveBack(target);
    return copies;
  } catch (error) {
    target.buffer.destroy();
    throw error;
  }
}

async function mappedRange(
  target: StagingBuffer,
  size: number,
  faults: Faults,
): Promise<ArrayBuffer> {
  const { buffer, wasMapped } = target;
  const mapping = buffer.mapAsync(GPUMapMode.READ, 0, size);
  if (MAPS_IN_CALL && wasMapped) {
    mapping.catch(() => {}); // where it fails, it is awaited below
    const range = rangeNow(buffer, size);
    if (range) return range;
  }
  await mapping.catch(async (error: unknown) => {
    await Promise.race([faults.device.lost, new Promise((done) => setTimeout(done, REASON_MS))]);
    throw await faults.settled() ?? error;
  });
  target.wasMapped = true;
  return buffer.getMappedRange(0, size);
}

/** The range, where the buffer is mapped already. */
function rangeNow(buffer: GPUBuffer, size: number): ArrayBuffer | undefined {
  try {
    return buffer.getMappedRange(0, size);
  } catch { // it is not
    return undefined;
  }
}

/** Lets signals, timers and sockets have their turn: a loop of reads that wait for nothing would not. */
function eventLoopTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((done) => {
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(undefined);
  });
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
