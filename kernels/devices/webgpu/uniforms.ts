/** The small buffers with the dims of launches. @module */
import type { Step } from "./steps.ts";

/** Makes and frees the uniforms of one device. */
export class Uniforms {
  #bytes = 0;

  constructor(readonly device: GPUDevice) {}

  /** Bytes of those that are not freed. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A buffer that holds `data`. */
  make(label: string, data: Uint8Array<ArrayBuffer>): GPUBuffer {
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const size = data.byteLength;
    const uniform = this.device.createBuffer({ label: `${label} dims`, size, usage });
    this.device.queue.writeBuffer(uniform, 0, data);
    this.#bytes += size;
    return uniform;
  }

  /** Frees those of `steps`; WebGPU keeps them alive until submitted work is done. */
  free(steps: readonly Step[]): void {
    for (const step of steps) {
      if (!("uniform" in step)) continue;
      this.#bytes -= step.uniform.size;
      step.uniform.destroy();
    }
  }
}
