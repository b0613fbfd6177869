/**
 * The device's own time for work: timestamps around each compute pass. Deno gives raw ticks, which are
 * nanoseconds on NVIDIA alone, so `calibrate` compares them with the wall clock once.
 * @module
 */
import type { WebGpuDevice } from "../../kernels/devices/webgpu.ts";

/** Passes that one measurement may have; a query set holds 4096 stamps. */
const MAX_PASSES = 2048;

/** Stamps the passes of a device while `time` runs, and leaves them alone otherwise. */
export class DeviceClock implements Disposable {
  /** Seconds of one tick. */
  tick = 1e-9;
  #passes: number | undefined; // counted while `time` runs
  #queries: GPUQuerySet;
  #resolved: GPUBuffer;

  private constructor(readonly gpu: GPUDevice) {
    this.#queries = gpu.createQuerySet({ type: "timestamp", count: 2 * MAX_PASSES });
    this.#resolved = gpu.createBuffer({
      label: "timestamps",
      size: 16 * MAX_PASSES,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    const create = gpu.createCommandEncoder.bind(gpu);
    gpu.createCommandEncoder = (descriptor) => this.#stamped(create(descriptor));
  }

  /** A clock on `device`; undefined where its adapter has no timestamps. */
  static attach({ device }: WebGpuDevice): DeviceClock | undefined {
    return device.features.has("timestamp-query") ? new DeviceClock(device) : undefined;
  }

  /**
   * Seconds that the passes of `work` took on the device, one after the other. `work` must wait for
   * what it enqueues. Undefined when it had more than 2048 passes, or none.
   */
  async time(work: () => Promise<unknown>): Promise<number | undefined> {
    this.#passes = 0;
    try {
      await work();
      const passes = this.#passes;
      if (passes === 0 || passes > MAX_PASSES) return undefined;
      const stamps = await this.#stamps(passes);
      let ticks = 0;
      for (let i = 0; i < passes; i++) ticks += Number(stamps[2 * i + 1] - stamps[2 * i]);
      return ticks * this.tick;
    } finally {
      this.#passes = undefined;
    }
  }

  /**
   * Sets `tick` from work that lasts about a tenth of a second and gives the seconds that it took by
   * the wall clock; a deviation of less than a tenth is the jitter of that clock. Gives wall time over
   * time by the stamps: 1 where ticks are nanoseconds.
   */
  async calibrate(work: () => Promise<number>): Promise<number> {
    this.tick = 1e-9;
    let seconds = NaN;
    const stamped = await this.time(async () => seconds = await work()) ?? NaN;
    const factor = seconds / stamped;
    if (Math.abs(factor - 1) > 0.1 && Number.isFinite(factor)) this.tick *= factor;
    return factor;
  }

  #stamped(encoder: GPUCommandEncoder): GPUCommandEncoder {
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (descriptor) => {
      if (this.#passes === undefined || this.#passes++ >= MAX_PASSES) return begin(descriptor);
      const at = 2 * (this.#passes - 1);
      return begin({
        ...descriptor,
        timestampWrites: {
          querySet: this.#queries,
          beginningOfPassWriteIndex: at,
          endOfPassWriteIndex: at + 1,
        },
      });
    };
    return encoder;
  }

  async #stamps(passes: number): Promise<BigUint64Array> {
    const size = 16 * passes;
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = this.gpu.createBuffer({ label: "timestamps read", size, usage });
    const encoder = this.gpu.createCommandEncoder({ label: "timestamps" });
    encoder.resolveQuerySet(this.#queries, 0, 2 * passes, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
    this.gpu.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return stamps;
  }

  [Symbol.dispose](): void {
    delete (this.gpu as { createCommandEncoder?: unknown }).createCommandEncoder; // the prototype's
    this.#queries.destroy();
    this.#resolved.destroy();
  }
}
