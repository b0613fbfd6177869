/** What goes to the queue of a WebGPU device, and in which portions. @module */
import { Pace } from "./pace.ts";
import { encodeSteps, partsOf, type Step } from "./steps.ts";

const MAX_UNSUBMITTED = 2 ** 26; // bytes written between submissions

/** Hands work to one device. */
export class Submissions {
  #pace = new Pace();
  #written = 0; // bytes since the last submission

  /** `isWatched`: a driver ends submissions that last too long, as those for a processor do not. */
  constructor(readonly device: GPUDevice, readonly isWatched: boolean) {}

  /** Submits `steps`, one after another. */
  run(label: string, steps: readonly Step[]): void {
    const most = this.isWatched ? this.#pace.most : Infinity;
    for (const part of partsOf(steps, most)) {
      this.#pace.submit(part.work, performance.now() / 1000);
      this.submit([encodeSteps(this.device, label, part.steps)]);
    }
  }

  submit(commands: GPUCommandBuffer[]): void {
    this.device.queue.submit(commands);
    this.#written = 0;
  }

  /** Enqueues host data from byte `start` of a buffer on. */
  write(buffer: GPUBuffer, start: number, data: ArrayBufferView<ArrayBuffer>): void {
    this.device.queue.writeBuffer(buffer, start, data);
    // The queue holds a copy of what is written until the next submission: without one, a model that
    // is loaded would be in memory twice.
    this.#written += data.byteLength;
    if (this.#written >= MAX_UNSUBMITTED) this.submit([]);
  }

  /** Notes that the queue is empty. */
  done(): void {
    this.#pace.done(performance.now() / 1000);
  }
}
