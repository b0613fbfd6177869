/** The buffers that results are mapped in: one is kept from read to read. @module */
import { createBuffer } from "./buffers.ts";
import type { Faults } from "./faults.ts";

/** Bytes of the largest buffer that is kept: many times the results of a training step. */
const KEPT = 2 ** 20;
const SMALLEST = 2 ** 12;

/** A buffer that the host can map. */
export interface StagingBuffer {
  readonly buffer: GPUBuffer;
  /** Whether it was mapped before. */
  wasMapped: boolean;
}

/** Lends staging buffers. */
export class Staging {
  #idle: StagingBuffer | undefined;

  constructor(readonly faults: Faults) {}

  /** A buffer of at least `bytes`, not mapped: the one that is kept where it is large enough. */
  take(bytes: number): StagingBuffer {
    const idle = this.#idle;
    if (idle && idle.buffer.size >= bytes) {
      this.#idle = undefined;
      return idle;
    }
    const size = bytes > KEPT ? bytes : Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes)));
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const buffer = createBuffer(this.faults, { label: "staging", size, usage });
    return { buffer, wasMapped: false };
  }

  /** Takes a buffer back, unmapped. The larger of two is kept. */
  giveBack(one: StagingBuffer): void {
    const isKept = one.buffer.size <= KEPT && one.buffer.size > (this.#idle?.buffer.size ?? 0);
    const [kept, dropped] = isKept ? [one, this.#idle] : [this.#idle, one];
    this.#idle = kept;
    dropped?.buffer.destroy();
  }
}
