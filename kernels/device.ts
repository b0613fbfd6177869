/**
 * What every kernel needs of a machine: tensors, launches, recorded programs, read-back.
 * Two devices implement it: `webgpu.ts` runs the WGSL, `cpu.ts` runs the twins. A third, in
 * `counting.ts`, only adds up the memory that a program would take.
 * @module
 */
import type { MemoryKind, MemoryUse } from "./memory.ts";
import type { Tuning } from "./tuning.ts";

/** Floating-point host memory. The CPU device computes in whichever of the two it was opened with. */
export type FloatArray = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
/** Host memory that `write` takes and `read` gives. */
export type HostArray = FloatArray | Uint32Array<ArrayBuffer>;
/**
 * Element type of a tensor. On the CPU device opened with f64, "f32" tensors are Float64Array.
 * "f16" is storage alone: kernels that take it compute in f32. `write` rounds to it, `read` gives
 * Float32Array. Its elements come in pairs of 4 bytes: a tensor of odd length owns one more.
 */
export type Dtype = "f32" | "u32" | "f16";

/** Memory owned by the device's pool; opaque outside of the two device files. */
export interface Storage {
  readonly bytes: number;
  /** False once freed: any later use is an error. Memory that is handed out again is a new Storage. */
  live: boolean;
  /** How often work that writes here was enqueued: while it stays, a copy of what lies here is up to date. */
  writes: number;
}

/** A range of one storage. Shapes are not stored: each kernel says what shape it reads. */
export interface Tensor {
  readonly label: string;
  readonly dtype: Dtype;
  /** Elements from the start of the storage; a multiple of `alignOf(dtype)`. */
  readonly offset: number;
  /** Elements. */
  readonly length: number;
  readonly storage: Storage;
}

/** One entry point, twice: the WGSL, and the plain TypeScript that defines what it must give. */
export interface Kernel {
  /** What errors call it: "file.entryPoint", where several files are joined the first. */
  readonly label: string;
  /** The function of `code` that runs. */
  readonly entryPoint: string;
  /** The whole text that is compiled. */
  readonly code: string;
  /** What tells this text from others of its label, as "Pack of 4"; for people. */
  readonly variant?: string;
  /**
   * The definition. Takes the arrays and the dims under the names that the WGSL declares and writes
   * its outputs in place. Must accept Float32Array and Float64Array alike, and Float16Array where the
   * kernel reads f16.
   */
  // deno-lint-ignore no-explicit-any -- each op states its own arrays and dims; the device only forwards
  readonly twin: (arrays: any, dims: any) => void;
  /** Threads per workgroup, handed to the WGSL as `override WORKGROUP`; 64 when absent. */
  readonly workgroup?: number;
  /** Further override constants. */
  readonly constants?: Readonly<Record<string, number>>;
}

/** One launch of a kernel. */
export interface Launch {
  readonly kernel: Kernel;
  /** The fields of the WGSL `struct Dims`, by name. */
  readonly dims: Readonly<Record<string, number>>;
  /** For each WGSL binding that the entry point uses: the tensor, and how many elements are touched. */
  readonly bind: Readonly<Record<string, readonly [tensor: Tensor, elements: number]>>;
  /**
   * How many invocations there is work for (1-D). At most 65,535 workgroups are started, so a kernel
   * whose count can exceed 65,535 * WORKGROUP strides by `num_workgroups.x * WORKGROUP`.
   */
  readonly threads?: number;
  /** Exact workgroup counts, for kernels with a grid of their own; excludes `threads`. */
  readonly groups?: readonly [x: number, y?: number, z?: number];
}

/** A recorded list of launches, replayed without building anything anew. */
export interface Program extends Disposable {
  readonly label: string;
  /** Number of launches in the list. */
  readonly length: number;
  /**
   * Enqueues the whole list and returns at once.
   * @throws {Error} when the program was disposed, or a tensor that it uses was freed
   */
  run(): void;
}

/** What one binding and one buffer may hold, in bytes, and what the adapter offers. */
export interface DeviceLimits {
  readonly maxBinding: number;
  readonly maxBuffer: number;
}

/** A machine that runs kernels. */
export interface Device extends Disposable {
  readonly kind: "webgpu" | "cpu";
  /** Adapter or processor name, for people and for `summary.json`. */
  readonly name: string;
  /** True where no graphics hardware does the work (the CPU twins, or a software adapter). */
  readonly software: boolean;
  readonly limits: DeviceLimits;
  readonly features: ReadonlySet<string>;
  readonly memory: MemoryUse;
  /** What was measured to be fastest here, which launches follow: see `useTuning`. Absent: the built-in choices. */
  tuning?: Tuning;

  /**
   * Takes memory from the pool, of f32 by default. A reused storage holds old numbers: kernels
   * overwrite, or call `zero`. `kind` says what it is for ("other" by default): `CountingDevice` adds
   * it up, the other devices do not ask.
   * @throws {RangeError} when `length` is not a positive safe integer or exceeds `limits.maxBuffer`
   */
  alloc(length: number, label: string, dtype?: Dtype, kind?: MemoryKind): Tensor;
  /**
   * Gives memory back to the pool; a `Scope` and a model's `Workspace` do so for what they own.
   * @throws {Error} when it was already given back
   */
  free(tensor: Tensor): void;
  /** Returns what the pool keeps for reuse to the driver. */
  trim(): void;
  /**
   * Enqueues host data into a tensor, from element `at` on. Into f16 each number goes as the nearest
   * that f16 has; `at` is even there, and so is the end unless it is the tensor's.
   * @throws {RangeError} when the data does not fit, or a finite number is beyond what f16 holds
   */
  write(tensor: Tensor, data: HostArray | readonly number[], at?: number): void;
  /** Enqueues zeros into the whole tensor. */
  zero(tensor: Tensor): void;
  /**
   * Runs one launch, or appends it to the list while `record` is building one.
   * @throws {TypeError} when a name is not the WGSL's, or memory is both written and bound again
   * @throws {RangeError} when a tensor is too small, or larger than one binding
   */
  launch(launch: Launch): void;
  /** Collects every launch that `build` makes into a program, without running any. */
  record(label: string, build: () => void): Program;
  /**
   * Waits for all that was enqueued and copies tensors back: one host sync for all of them together,
   * after which the device has nothing to do. Float64Array where the device computes in f64.
   * @throws {Error} when any earlier launch was invalid (from then on every read throws), the device
   * was lost, or (`OutOfMemoryError`) an earlier `alloc` found no memory
   */
  read(...tensors: Tensor[]): Promise<HostArray[]>;
}
