/** What every measurement gets: the adapter, its clock, sizes, and how long samples last. @module */
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import { DeviceClock } from "./device_clock.ts";
import type { GpuBenchOptions } from "./options.ts";
import type { Budget } from "./rows.ts";
import { type GpuSizes, HARDWARE, SOFTWARE } from "./sizes.ts";

/** The machine and the wishes of one run. */
export interface GpuContext extends Budget {
  readonly device: WebGpuDevice;
  /** Absent where the adapter has no timestamps. */
  readonly clock: DeviceClock | undefined;
  readonly sizes: GpuSizes;
  readonly short: boolean;
  readonly software: boolean;
  /** Seconds of one sample, samples of one figure, and the most runs of a sample. */
  readonly sampling: { readonly target: number; readonly samples: number; readonly most: number };
}

/** Holds the device of a run, and opens another after a failure: the old one may be lost. */
export class Machine implements Disposable {
  #device: WebGpuDevice;
  #clock: DeviceClock | undefined;

  private constructor(device: WebGpuDevice, readonly options: GpuBenchOptions) {
    this.#device = device;
    this.#clock = DeviceClock.attach(device);
  }

  /** Opens a hardware adapter, or with `software` the software one. @throws {Error} when there is none */
  static async open(options: GpuBenchOptions): Promise<Machine> {
    return new Machine(await openAdapter(options), options);
  }

  get name(): string {
    return this.#device.name;
  }

  /** Seconds left of the budget. */
  remaining(): number {
    return this.options.since + this.options.budget - Date.now() / 1e3;
  }

  /** For the next row. */
  context(): GpuContext {
    const { software, short } = this.options;
    return {
      device: this.#device,
      clock: this.#clock,
      sizes: software ? SOFTWARE : HARDWARE,
      short,
      software,
      sampling: software
        ? { target: 0.01, samples: 2, most: 4 }
        : { target: short ? 0.04 : 0.06, samples: short ? 5 : 7, most: 256 },
      remaining: () => this.remaining(),
    };
  }

  /** Opens the adapter anew, with the calibration of the clock kept. */
  async reopen(): Promise<void> {
    const tick = this.#clock?.tick;
    this[Symbol.dispose]();
    this.#device = await openAdapter(this.options);
    this.#clock = DeviceClock.attach(this.#device);
    if (this.#clock && tick) this.#clock.tick = tick;
  }

  [Symbol.dispose](): void {
    this.#clock?.[Symbol.dispose]();
    this.#device[Symbol.dispose]();
  }
}

const openAdapter = ({ software }: GpuBenchOptions): Promise<WebGpuDevice> =>
  WebGpuDevice.open({ adapter: software ? "software" : "hardware", timestamps: true });
