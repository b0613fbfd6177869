/** Memory that passes of different shapes share, as only one of them is at work at a time. @module */
import type { Device, Dtype, Tensor } from "../kernels/device.ts";
import type { MemoryKind } from "../kernels/memory.ts";
import type { Scope } from "../kernels/scope.ts";
import { view } from "../kernels/tensor.ts";

/** Hands out tensors of a device: a `Scope` that owns them, or a `Workspace` that shares them. */
export type Allocator = Pick<Scope, "alloc" | "device">;

/**
 * One tensor a name, as large as the largest that was asked for under that name. Asking for a larger
 * one replaces it, and every program recorded with the old one is void: `generation` tells.
 */
export class Workspace implements Disposable {
  #tensors = new Map<string, Tensor>();
  #generation = 0;

  constructor(readonly device: Device) {}

  /** Changes whenever a tensor that was handed out before has been freed. */
  get generation(): number {
    return this.#generation;
  }

  /** A tensor of `length` elements that shares its memory with all others of this name. */
  alloc(length: number, label: string, dtype?: Dtype, kind?: MemoryKind): Tensor {
    const found = this.#tensors.get(label);
    if (found && found.length >= length) return view(found, 0, length);
    if (found) {
      this.#tensors.delete(label);
      this.device.free(found);
      this.device.trim(); // else the old memory would be held beside the new
      this.#generation++;
    }
    const tensor = this.device.alloc(length, label, dtype, kind);
    this.#tensors.set(label, tensor);
    return tensor;
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#tensors.values()) this.device.free(tensor);
    this.#tensors.clear();
    this.#generation++;
  }
}
