/** The device without a driver: a launch runs the kernel's twin, at once; long ones on several threads. @module */
import type {
  Device,
  DeviceLimits,
  Dtype,
  FloatArray,
  HostArray,
  Launch,
  Program,
  Storage,
  Tensor,
} from "../device.ts";
import { sharedLaunch } from "./cpu/launches.ts";
import { sharedMemory, threadsFor } from "./cpu/machine.ts";
import { type Step, Threads } from "./cpu/threads.ts";
import { type HalfArray, toHalf } from "../fragments/half.ts";
import type { MemoryKind, MemoryUse } from "../memory.ts";
import { bytesOf } from "../tensor.ts";
import { checkLaunch, tensorsOf } from "./launch.ts";
import { Pool } from "./pool.ts";
import { Recorder } from "./recorder.ts";

interface Block extends Storage {
  readonly memory: ArrayBuffer | SharedArrayBuffer;
}

/** Options of `CpuDevice`. */
export interface CpuOptions {
  /** Arithmetic of "f32" tensors: f64 checks a whole backward pass against finite differences. */
  precision?: "f32" | "f64";
  /** Bytes of one binding that `limits` reports; tests lower it to force row ranges. */
  maxBinding?: number;
  /** Threads that compute, this one among them. Default: as many as there are cores, at most 8. */
  workers?: number;
  /** Multiply-adds that make a part of a launch worth another thread's while; tests lower it. */
  leastShared?: number;
}

const LEAST_SHARED = 1e5; // a tenth of a millisecond

/** A device that needs nothing but the processor. */
export class CpuDevice implements Device {
  readonly kind = "cpu";
  readonly name: string;
  readonly software = true;
  readonly limits: DeviceLimits;
  readonly features: ReadonlySet<string> = new Set();
  tuning?: Device["tuning"];
  #floats: typeof Float32Array | typeof Float64Array;
  #recorder = new Recorder<Step>();
  #threads: Threads;
  #pool: Pool<Block>;

  /** @throws {RangeError} when `workers` is not an integer from 1 to 64 */
  constructor(options: CpuOptions = {}) {
    const { precision = "f32", maxBinding = 2 ** 31, leastShared = LEAST_SHARED } = options;
    const threads = threadsFor(options.workers);
    const memoryFor = threads > 1 ? sharedMemory : (bytes: number) => new ArrayBuffer(bytes);
    this.#threads = new Threads(threads, leastShared);
    this.#floats = precision === "f64" ? Float64Array : Float32Array;
    this.name = `TypeScript twins (${precision})`;
    this.limits = { maxBinding, maxBuffer: 2 ** 32 };
    this.#pool = new Pool<Block>(
      (bytes) => ({ bytes, live: true, writes: 0, memory: memoryFor(bytes) }),
      () => {}, // the garbage collector takes it
      this.limits.maxBuffer,
    );
  }

  get memory(): MemoryUse {
    return this.#pool.memory;
  }

  alloc(length: number, label: string, dtype: Dtype = "f32", _kind?: MemoryKind): Tensor {
    const bytes = dtype === "f32" ? this.#floats.BYTES_PER_ELEMENT : bytesOf(dtype);
    return this.#pool.alloc(length, label, dtype, bytes);
  }

  free(tensor: Tensor): void {
    this.#pool.free(tensor);
  }

  trim(): void {
    this.#pool.trim();
  }

  write(tensor: Tensor, data: HostArray | readonly number[], at = 0): void {
    this.#pool.checkRange("write", tensor, at, data.length);
    if (data.length === 0) return;
    tensor.storage.writes++;
    const numbers = tensor.dtype === "f16"
      ? toHalf(tensor, data, at).subarray(0, data.length)
      : data;
    this.#array(tensor, tensor.length).set(numbers, at);
  }

  zero(tensor: Tensor): void {
    this.#pool.checkRange("zero", tensor, 0, tensor.length);
    const array = this.#array(tensor, tensor.length);
    this.#do([[tensor], [tensor]], { alone: () => array.fill(0) });
  }

  launch(launch: Launch): void {
    checkLaunch(launch, this.limits);
    const { kernel, dims, bind } = launch, arrays: Record<string, HostArray | HalfArray> = {};
    for (const [name, [tensor, elements]] of Object.entries(bind)) {
      arrays[name] = this.#array(tensor, elements);
    }
    this.#do(tensorsOf(launch), {
      alone: () => kernel.twin(arrays, dims),
      shared: sharedLaunch(kernel, { arrays, dims }, this.#threads),
    });
  }

  record(label: string, build: () => void): Program {
    return this.#recorder.record(label, build, {
      run: (steps) => this.#threads.run(steps),
      release: (steps) => this.#threads.forget(steps),
    });
  }

  read(...tensors: Tensor[]): Promise<HostArray[]> {
    for (const tensor of tensors) this.#pool.checkRange("read", tensor, 0, tensor.length);
    return Promise.resolve(tensors.map((tensor) => {
      const array = this.#array(tensor, tensor.length);
      return array instanceof Float16Array ? new Float32Array(array) : array.slice();
    }));
  }

  [Symbol.dispose](): void {
    this.#threads[Symbol.dispose]();
    this.#pool.dispose();
  }

  /** Parts of launches that workers computed. */
  get helped(): number {
    return this.#threads.helped;
  }

  #do(tensors: [all: Tensor[], written: Tensor[]], step: Step): void {
    if (!this.#recorder.add(step, ...tensors)) this.#threads.runOnce(step);
  }

  #array({ storage, dtype, offset }: Tensor, length: number): HostArray | HalfArray {
    const memory = (storage as Block).memory as ArrayBuffer; // an array on shared memory is used alike
    if (dtype === "f16") return new Float16Array(memory, offset * 2, length);
    if (dtype === "u32") return new Uint32Array(memory, offset * 4, length);
    return new this.#floats(memory, offset * this.#floats.BYTES_PER_ELEMENT, length) as FloatArray;
  }
}
