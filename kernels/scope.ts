/** Device memory that lives as long as a block of code. @module */
import type { Device, Dtype, Program, Tensor } from "./device.ts";
import type { MemoryKind } from "./memory.ts";

/** Tensors that are freed together when the scope ends. */
export class Scope implements Disposable {
  #owned: (Tensor | Program)[] = [];

  constructor(readonly device: Device) {}

  /** As `Device.alloc`, owned by this scope. */
  alloc(length: number, label: string, dtype?: Dtype, kind?: MemoryKind): Tensor {
    const tensor = this.device.alloc(length, label, dtype, kind);
    this.#owned.push(tensor);
    return tensor;
  }

  /** As `Device.record`, owned by this scope. */
  record(label: string, build: () => void): Program {
    const program = this.device.record(label, build);
    this.#owned.push(program);
    return program;
  }

  [Symbol.dispose](): void {
    for (const owned of this.#owned.splice(0).reverse()) {
      if ("run" in owned) owned[Symbol.dispose]();
      else this.device.free(owned);
    }
  }
}
