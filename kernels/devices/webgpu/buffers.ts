/** Where the tensors of a WebGPU device lie. @module */
import type { HostArray, Launch, Storage, Tensor } from "../../device.ts";
import { type HalfArray, toHalf } from "../../fragments/half.ts";
import { bytesOf } from "../../tensor.ts";
import { declared } from "../declared.ts";
import { OutOfMemoryError } from "../pool.ts";
import type { Faults } from "./faults.ts";

/** What buffers of tensors may be used for; a function, as a tab without WebGPU lacks the names. */
export const tensorUsage = (): number =>
  GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** What a buffer is made from; the label is its name in errors. */
export type BufferDescriptor = GPUBufferDescriptor & { label: string };

/** Memory of the pool. */
export interface Block extends Storage {
  readonly buffer: GPUBuffer;
}

/** A buffer. A driver without memory says so later, and all that then uses the buffer is invalid besides. */
export function createBuffer(faults: Faults, descriptor: BufferDescriptor): GPUBuffer {
  const { label, size } = descriptor, held = faults.heldBytes();
  return faults.scope(
    "out-of-memory",
    () => faults.device.createBuffer(descriptor),
    () => new OutOfMemoryError(label, size, held),
  );
}

/** The buffer that a tensor lies in. */
export const bufferOf = (tensor: Tensor): GPUBuffer => (tensor.storage as Block).buffer;

/** Byte of the buffer at which the tensor starts. */
export const startOf = ({ offset, dtype }: Tensor): number => offset * bytesOf(dtype);

/** Bytes of the tensor, in fours as WebGPU copies and clears: an odd f16 owns the other of its pair. */
export const sizeOf = ({ length, dtype }: Tensor): number =>
  Math.ceil(length * bytesOf(dtype) / 4) * 4;

/** `data` as the tensor holds it from element `at` on. */
export function hostData(
  tensor: Tensor,
  data: HostArray | readonly number[],
  at: number,
): Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | HalfArray {
  if (tensor.dtype === "f16") return toHalf(tensor, data, at);
  if (tensor.dtype === "u32") return data instanceof Uint32Array ? data : Uint32Array.from(data);
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

/** The tensors of a launch, and its dims in `uniform`, under the numbers that the WGSL gives them. */
export function bindGroup(
  { kernel, bind }: Launch,
  { device, layout, uniform }: {
    device: GPUDevice;
    layout: GPUBindGroupLayout;
    uniform: GPUBuffer;
  },
): GPUBindGroup {
  const { slots } = declared(kernel);
  const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: { buffer: uniform } }];
  for (const [name, [tensor, elements]] of Object.entries(bind)) {
    entries.push({ binding: slots.get(name)!.binding, resource: bindingOf(tensor, elements) });
  }
  return device.createBindGroup({ label: kernel.label, layout, entries });
}

function bindingOf(tensor: Tensor, elements: number): GPUBufferBinding {
  const offset = startOf(tensor), bytes = Math.max(4, elements * bytesOf(tensor.dtype));
  // vec4 bindings need a multiple of 16 bytes; the pool pads every storage to 256, so that there is room.
  const size = Math.min(Math.ceil(bytes / 16) * 16, tensor.storage.bytes - offset);
  return { buffer: bufferOf(tensor), offset, size };
}
