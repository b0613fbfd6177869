/** What may follow `deno task bench --`. @module */
import { parseArgs } from "node:util";
import { CpuDevice } from "../kernels/devices/cpu.ts";
import type { Device } from "../kernels/device.ts";
import { WebGpuDevice } from "../kernels/devices/webgpu.ts";

/** Which of the two devices. */
export type DeviceKind = "webgpu" | "cpu";
/** Which sizes. */
export type ModelName = "default" | "gpt2";

/** What to measure. */
export interface BenchOptions {
  /** The twins first: what they give is what the adapter's results are compared with. */
  devices: DeviceKind[];
  models: ModelName[];
  /** Samples of each bench; absent: as many as suits it. */
  samples?: number;
}

const choices = {
  device: ["webgpu", "cpu", "both"],
  model: ["default", "gpt2", "both"],
} as const;

/**
 * Reads `--device webgpu|cpu|both` (default both) and `--model default|gpt2|both`, whose default is
 * the bench's own, and `--samples N` for a quicker or a calmer look. They are arguments and no environment variables, as the task grants no access to
 * those.
 * @throws {TypeError} for any other argument or value
 * @throws {RangeError} when the samples are no positive whole number
 */
export function benchOptions(
  args: readonly string[],
  { model: modelDefault }: { model: ModelName | "both" },
): BenchOptions {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: { device: { type: "string" }, model: { type: "string" }, samples: { type: "string" } },
  });
  const choose = <K extends keyof typeof choices>(
    name: K,
    standard: (typeof choices)[K][number],
  ) => {
    const value = values[name] ?? standard;
    if (!(choices[name] as readonly string[]).includes(value)) {
      throw new TypeError(
        `Cannot bench as --${name} must be one of ${choices[name].join(", ")}: it is "${value}"`,
      );
    }
    return value;
  };
  const samples = values.samples === undefined ? undefined : countOf("samples", values.samples);
  const device = choose("device", "both"), model = choose("model", modelDefault);
  return {
    devices: device === "both" ? ["cpu", "webgpu"] : [device as DeviceKind],
    models: model === "both" ? ["default", "gpt2"] : [model as ModelName],
    ...(samples && { samples }),
  };
}

/** The number that follows `--name`. @throws {RangeError} when it is no positive whole number */
export function countOf(name: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new RangeError(
    `Cannot bench as --${name} must be a positive whole number: it is "${text}"`,
  );
}

/** Opens a device. @throws {Error} when no adapter answers: then bench with `-- --device cpu` */
export async function openDevice(kind: DeviceKind): Promise<Device> {
  return kind === "cpu" ? new CpuDevice() : await WebGpuDevice.open();
}

/** Opens devices on first use, so that a bench that was filtered out opens none. */
export class Devices implements Disposable {
  #open = new Map<DeviceKind, Promise<Device>>();
  #opened: Device[] = [];

  /** As `openDevice`, but one of each kind. */
  get(kind: DeviceKind): Promise<Device> {
    let device = this.#open.get(kind);
    if (!device) {
      device = openDevice(kind).then((found) => (this.#opened.push(found), found));
      this.#open.set(kind, device);
    }
    return device;
  }

  /** Those that were used. */
  get opened(): readonly Device[] {
    return this.#opened;
  }

  [Symbol.dispose](): void {
    for (const device of this.#opened.splice(0)) device[Symbol.dispose]();
    this.#open.clear();
  }
}
