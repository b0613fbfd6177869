/**
 * The device that only counts: it has a real device's limits, but holds no memory and runs nothing. A
 * program that allocates on it finds out what it would take, and whether every launch would fit.
 * @module
 */
import {
  bytesOf,
  type Device,
  type DeviceLimits,
  type Dtype,
  type HostArray,
  type Launch,
  type MemoryUse,
  type Program,
  type Storage,
  type Tensor,
} from "../device.ts";
import { checkLaunch, Touched } from "./launch.ts";
import { Pool } from "./pool.ts";

/** Counts bytes as a device like `like` would hold them: same pool, same rounding, same reuse. */
export class CountingDevice implements Device {
  readonly kind: Device["kind"];
  readonly name: string;
  readonly software: boolean;
  readonly limits: DeviceLimits;
  readonly features: ReadonlySet<string>;
  #pool: Pool<Storage>;
  #labels = new Map<Storage, string>();
  #recording: { launches: number; touched: Touched } | undefined;
  #atPeak: ReadonlyMap<string, number> | undefined;

  constructor(like: Pick<Device, "kind" | "name" | "software" | "limits" | "features">) {
    this.kind = like.kind;
    this.name = like.name;
    this.software = like.software;
    this.limits = like.limits;
    this.features = like.features;
    this.#pool = new Pool<Storage>(
      (bytes) => ({ bytes, live: true }),
      () => {},
      this.limits.maxBuffer,
    );
  }

  get memory(): MemoryUse {
    return this.#pool.memory;
  }

  /**
   * Bytes by label when `memory.peak` was reached; together they are the peak. What the pool then kept
   * for reuse has the label "".
   */
  get peakByLabel(): ReadonlyMap<string, number> {
    return this.#atPeak ?? this.#byLabel();
  }

  alloc(length: number, label: string, dtype: Dtype = "f32"): Tensor {
    const { peak } = this.#pool.memory;
    const tensor = this.#pool.alloc(length, label, dtype, bytesOf(dtype));
    this.#labels.set(tensor.storage, label);
    if (this.#pool.memory.peak > peak) this.#atPeak = undefined;
    return tensor;
  }

  free(tensor: Tensor): void {
    this.#atPeak ??= this.#byLabel();
    this.#pool.free(tensor);
    this.#labels.delete(tensor.storage);
  }

  trim(): void {
    this.#atPeak ??= this.#byLabel();
    this.#pool.trim();
  }

  write(tensor: Tensor, data: HostArray | readonly number[], at = 0): void {
    this.#pool.checkRange("write", tensor, at, data.length);
  }

  zero(tensor: Tensor): void {
    this.#pool.checkRange("zero", tensor, 0, tensor.length);
    this.#note([tensor]);
  }

  launch(launch: Launch): void {
    checkLaunch(launch, this.limits);
    this.#note(Object.values(launch.bind).map(([tensor]) => tensor));
  }

  /** As on other devices; running the program checks that its memory is still there, and no more. */
  record(label: string, build: () => void): Program {
    if (this.#recording) throw new Error(`Cannot record ${label} inside another recording`);
    const recording = this.#recording = { launches: 0, touched: new Touched(label) };
    try {
      build();
    } finally {
      this.#recording = undefined;
    }
    return {
      label,
      length: recording.launches,
      run: () => recording.touched.check(),
      [Symbol.dispose]: () => recording.touched.dispose(),
    };
  }

  /** @throws {Error} always: there are no numbers here */
  read(...tensors: Tensor[]): Promise<HostArray[]> {
    const names = tensors.map(({ label }) => label).join(", ");
    return Promise.reject(
      new Error(`Cannot read ${names || "anything"} as this device only counts memory`),
    );
  }

  [Symbol.dispose](): void {
    this.#atPeak ??= this.#byLabel();
    this.#pool.dispose();
    this.#labels.clear();
  }

  #note(tensors: readonly Tensor[]): void {
    if (!this.#recording) return;
    this.#recording.launches++;
    for (const tensor of tensors) this.#recording.touched.add(tensor);
  }

  #byLabel(): Map<string, number> {
    const { live, held } = this.#pool.memory;
    const sums = new Map<string, number>();
    for (const [{ bytes }, label] of this.#labels) {
      sums.set(label, (sums.get(label) ?? 0) + bytes);
    }
    if (held > live) sums.set("", held - live);
    return sums;
  }
}
