/**
 * What every kernel needs of a machine: tensors, launches, recorded programs, read-back.
 * Two devices implement it: `webgpu.ts` runs the WGSL, `cpu.ts` runs the twins. A third, in
 * `counting.ts`, only adds up the memory that a program would take.
 * @module
 */

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

/**
 * Views start at multiples of this many elements of 4 bytes (256 bytes, WebGPU's portable binding
 * alignment). `alignOf` gives it for each type.
 */
export const ALIGN = 64;

/** Bytes of one element on a device that computes in f32. */
export const bytesOf = (dtype: Dtype): 2 | 4 => dtype === "f16" ? 2 : 4;

/** Views of a tensor of this type start at multiples of this many elements. */
export const alignOf = (dtype: Dtype): number => ALIGN * 4 / bytesOf(dtype);

/** One entry point, twice: the WGSL, and the plain TypeScript that defines what it must give. */
export interface Kernel {
  /** "file.entryPoint", also used in errors. */
  readonly label: string;
  readonly code: string;
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

/** Live and peak device memory, in bytes, counted at allocation. */
export interface MemoryUse {
  /** Bytes of tensors now in use. */
  readonly live: number;
  /** Bytes held from the driver: in use, or kept in the pool for reuse. */
  readonly held: number;
  /** Largest `held` so far. */
  readonly peak: number;
  /** Bytes of the small buffers with the dims of recorded programs' launches. */
  readonly programs: number;
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

  /**
   * Takes memory from the pool. A reused storage holds old numbers: kernels overwrite, or call `zero`.
   * @throws {RangeError} when `length` is no positive safe integer or exceeds `limits.maxBuffer`
   */
  alloc(length: number, label: string, dtype?: Dtype): Tensor;
  /** Gives memory back to the pool. @throws {Error} when it was already given back */
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
   * Waits for all that was enqueued and copies tensors back: one wait for all of them together
   * (a wait costs about 11 ms in Deno). Float64Array where the device computes in f64.
   * @throws {Error} when any earlier launch was invalid (from then on every read throws), the device
   * was lost, or (`OutOfMemoryError`) an earlier `alloc` found no memory
   */
  read(...tensors: Tensor[]): Promise<HostArray[]>;
}

/** `length` rounded up so that the next tensor in the same storage starts aligned. */
export function align(length: number, dtype: Dtype = "f32"): number {
  return Math.ceil(length / alignOf(dtype)) * alignOf(dtype);
}

/**
 * The part of `tensor` that starts at element `start`, a multiple of 256 bytes (`alignOf`), and has
 * `length` elements.
 */
export function view(tensor: Tensor, start: number, length: number, label?: string): Tensor {
  const fits = start >= 0 && start + length <= tensor.length;
  const unit = alignOf(tensor.dtype);
  if (start % unit !== 0 || !fits || !Number.isSafeInteger(length) || length < 1) {
    throw new RangeError(
      `Cannot view ${tensor.label}[${start}, ${start + length}) as views start at a multiple of ` +
        `${unit}, are not empty and end inside the tensor: it has ${tensor.length} elements`,
    );
  }
  return { ...tensor, label: label ?? tensor.label, offset: tensor.offset + start, length };
}

/** Allocates and fills in one call. Of u32 or f32, as the data is, unless `dtype` says otherwise. */
export function upload(
  device: Device,
  data: HostArray,
  label: string,
  dtype: Dtype = data instanceof Uint32Array ? "u32" : "f32",
): Tensor {
  const tensor = device.alloc(data.length, label, dtype);
  device.write(tensor, data);
  return tensor;
}

/**
 * Row ranges [start, end) of an (R, C) tensor, each small enough for one binding and each starting
 * aligned. A single range when the tensor fits. Of f32 unless `dtype` says otherwise.
 * @throws {RangeError} when not even the smallest aligned group of rows fits
 */
export function rowRanges(
  limits: DeviceLimits,
  { R, C, dtype = "f32" }: { R: number; C: number; dtype?: Dtype },
): [start: number, end: number][] {
  const most = Math.floor(limits.maxBinding / bytesOf(dtype) / C);
  if (R <= most) return [[0, R]];
  let unit = 4; // the fewest rows, in fours for vec4 columns, whose first element is aligned
  while ((unit * C) % alignOf(dtype) !== 0) unit *= 2;
  const step = Math.floor(most / unit) * unit;
  if (step === 0) {
    throw new RangeError(
      `Cannot bind ${unit} rows of ${C} elements as one binding holds ${limits.maxBinding} bytes: ` +
        `they need ${unit * C * bytesOf(dtype)}`,
    );
  }
  const ranges: [number, number][] = [];
  for (let start = 0; start < R; start += step) ranges.push([start, Math.min(R, start + step)]);
  return ranges;
}

/** Tensors that are freed together when the scope ends. */
export class Scope implements Disposable {
  #owned: (Tensor | Program)[] = [];

  constructor(readonly device: Device) {}

  /** As `Device.alloc`, owned by this scope. */
  alloc(length: number, label: string, dtype?: Dtype): Tensor {
    const tensor = this.device.alloc(length, label, dtype);
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
