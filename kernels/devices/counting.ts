/**
 * The device that only counts: it has a real device's limits, but holds no memory and runs nothing. A
 * program that allocates on it finds out what it would take, and whether every launch would fit.
 * @module
 */
import type {
  Device,
  DeviceLimits,
  Dtype,
  HostArray,
  Launch,
  Program,
  Storage,
  Tensor,
} from "../device.ts";
import type { MemoryKind, MemoryUse } from "../memory.ts";
import { bytesOf } from "../tensor.ts";
import { checkLaunch, tensorsOf } from "./launch.ts";
import { Pool } from "./pool.ts";
import { Recorder } from "./recorder.ts";

/** Counts bytes as a device like `like` would hold them: same pool, same rounding, same reuse. */
export class CountingDevice implements Device {
  readonly kind: Device["kind"];
  readonly name: string;
  readonly software: boolean;
  readonly limits: DeviceLimits;
  readonly features: ReadonlySet<string>;
  tuning?: Device["tuning"];
  #pool: Pool<Storage>;
  #kinds = new Map<Storage, MemoryKind>();
  #recorder = new Recorder<void>();
  #atPeak: ReadonlyMap<MemoryKind, number> | undefined;

  constructor(
    like: Pick<Device, "kind" | "name" | "software" | "limits" | "features" | "tuning">,
  ) {
    this.kind = like.kind;
    this.name = like.name;
    this.software = like.software;
    this.limits = like.limits;
    this.features = like.features;
    this.tuning = like.tuning;
    this.#pool = new Pool<Storage>(
      (bytes) => ({ bytes, live: true, writes: 0 }),
      () => {},
      this.limits.maxBuffer,
    );
  }

  get memory(): MemoryUse {
    return this.#pool.memory;
  }

  /**
   * Bytes by kind when `memory.peak` was reached; together they are the peak. What the pool then kept
   * for reuse is "other". A kind that nothing had is absent.
   */
  get peakByKind(): ReadonlyMap<MemoryKind, number> {
    return this.#atPeak ?? this.#byKind();
  }

  alloc(
    length: number,
    label: string,
    dtype: Dtype = "f32",
    kind: MemoryKind = "other",
  ): Tensor {
    const { peak } = this.#pool.memory;
    const tensor = this.#pool.alloc(length, label, dtype, bytesOf(dtype));
    this.#kinds.set(tensor.storage, kind);
    if (this.#pool.memory.peak > peak) this.#atPeak = undefined;
    return tensor;
  }

  free(tensor: Tensor): void {
    this.#atPeak ??= this.#byKind();
    this.#pool.free(tensor);
    this.#kinds.delete(tensor.storage);
  }

  trim(): void {
    this.#atPeak ??= this.#byKind();
    this.#pool.trim();
  }

  write(tensor: Tensor, data: HostArray | readonly number[], at = 0): void {
    this.#pool.checkRange("write", tensor, at, data.length);
    if (data.length > 0) tensor.storage.writes++;
  }

  zero(tensor: Tensor): void {
    this.#pool.checkRange("zero", tensor, 0, tensor.length);
    this.#recorder.add(undefined, [tensor], [tensor]);
  }

  launch(launch: Launch): void {
    checkLaunch(launch, this.limits);
    this.#recorder.add(undefined, ...tensorsOf(launch));
  }

  /** As on other devices; running the program checks that its memory is still there, and no more. */
  record(label: string, build: () => void): Program {
    return this.#recorder.record(label, build, { run: () => {} });
  }

  /** @throws {Error} always: there are no numbers here */
  read(...tensors: Tensor[]): Promise<HostArray[]> {
    const names = tensors.map(({ label }) => label).join(", ");
    return Promise.reject(
      new Error(`Cannot read ${names || "anything"} as this device only counts memory`),
    );
  }

  [Symbol.dispose](): void {
    this.#atPeak ??= this.#byKind();
    this.#pool.dispose();
    this.#kinds.clear();
  }

  #byKind(): Map<MemoryKind, number> {
    const { live, held } = this.#pool.memory;
    const sums = new Map<MemoryKind, number>();
    const add = (kind: MemoryKind, bytes: number) => sums.set(kind, (sums.get(kind) ?? 0) + bytes);
    for (const [{ bytes }, kind] of this.#kinds) add(kind, bytes);
    if (held > live) add("other", held - live);
    return sums;
  }
}
