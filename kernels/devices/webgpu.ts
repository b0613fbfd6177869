/** The device on a WebGPU adapter: it and the files of webgpu/ are all that talks to WebGPU. @module */
import type { Device, DeviceLimits, Dtype, HostArray, Launch, Program, Tensor } from "../device.ts";
import type { MemoryKind, MemoryUse } from "../memory.ts";
import { bytesOf } from "../tensor.ts";
import { packDims } from "./declared.ts";
import { checkLaunch, gridOf, tensorsOf } from "./launch.ts";
import { Pool } from "./pool.ts";
import { Recorder } from "./recorder.ts";
import { type OpenAdapter, openAdapter, type WebGpuOptions } from "./webgpu/adapter.ts";
import {
  bindGroup,
  type Block,
  bufferOf,
  createBuffer,
  hostData,
  sizeOf,
  startOf,
  tensorUsage,
} from "./webgpu/buffers.ts";
import { Faults } from "./webgpu/faults.ts";
import { Pipelines } from "./webgpu/pipelines.ts";
import { readBack } from "./webgpu/read.ts";
import { Staging } from "./webgpu/staging.ts";
import { workOf } from "./webgpu/pace.ts";
import type { Step } from "./webgpu/steps.ts";
import { Submissions } from "./webgpu/submissions.ts";
import { Uniforms } from "./webgpu/uniforms.ts";

/** A device on a WebGPU adapter. A failed launch surfaces at the next `read`. */
export class WebGpuDevice implements Device {
  readonly kind = "webgpu";
  readonly name: string;
  readonly software: boolean;
  readonly limits: DeviceLimits;
  readonly features: ReadonlySet<string>;
  tuning?: Device["tuning"];
  readonly device: GPUDevice;
  #faults: Faults;
  #pipelines: Pipelines;
  #pool: Pool<Block>;
  #uniforms: Uniforms;
  #staging: Staging;
  #recorder = new Recorder<Step>();
  #submissions: Submissions;

  private constructor({ device, name, software, limits, features, enables }: OpenAdapter) {
    this.device = device;
    this.name = name;
    this.software = software;
    this.limits = limits;
    this.features = features;
    this.#faults = new Faults(device, () => this.memory.held);
    this.#pipelines = new Pipelines(device, this.#faults, enables);
    this.#uniforms = new Uniforms(device);
    this.#staging = new Staging(this.#faults);
    this.#submissions = new Submissions(device, !software);
    this.#pool = new Pool<Block>(
      (bytes, label) => ({
        bytes,
        live: true,
        writes: 0,
        buffer: createBuffer(this.#faults, { label, size: bytes, usage: tensorUsage() }),
      }),
      (block) => block.buffer.destroy(),
      limits.maxBuffer,
    );
  }

  /**
   * Opens an adapter with the largest buffers and bindings that it offers.
   * @throws {Error} when no adapter of the wanted kind answers
   */
  static async open(options: WebGpuOptions = {}): Promise<WebGpuDevice> {
    return new WebGpuDevice(await openAdapter(options));
  }

  get memory(): MemoryUse {
    return { ...this.#pool.memory, programs: this.#uniforms.bytes };
  }

  alloc(length: number, label: string, dtype: Dtype = "f32", _kind?: MemoryKind): Tensor {
    return this.#pool.alloc(length, label, dtype, bytesOf(dtype));
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
    const typed = hostData(tensor, data, at);
    const start = (tensor.offset + at) * bytesOf(tensor.dtype);
    this.#submissions.write(bufferOf(tensor), start, typed);
  }

  zero(tensor: Tensor): void {
    this.#pool.checkRange("zero", tensor, 0, tensor.length);
    const step = { clear: bufferOf(tensor), offset: startOf(tensor), size: sizeOf(tensor) };
    if (!this.#recorder.add(step, [tensor], [tensor])) this.#run("zero", [step]);
  }

  launch(launch: Launch): void {
    checkLaunch(launch, this.limits);
    const { kernel, dims } = launch;
    const { pipeline, layout } = this.#pipelines.get(kernel);
    const uniform = this.#uniforms.make(kernel.label, packDims(kernel, dims));
    const group = bindGroup(launch, { device: this.device, layout, uniform });
    const step = { pipeline, group, grid: gridOf(launch), uniform, work: workOf(launch) };
    if (this.#recorder.add(step, ...tensorsOf(launch))) return;
    this.#run(kernel.label, [step]);
    this.#uniforms.free([step]);
  }

  record(label: string, build: () => void): Program {
    return this.#recorder.record(label, build, {
      run: (steps) => this.#run(label, steps),
      release: (steps) => this.#uniforms.free(steps),
    });
  }

  async read(...tensors: Tensor[]): Promise<HostArray[]> {
    if (this.#faults.any) throw await this.#faults.settled();
    for (const tensor of tensors) this.#pool.checkRange("read", tensor, 0, tensor.length);
    return await readBack(tensors, this.#staging, this.#submissions);
  }

  [Symbol.dispose](): void {
    this.#pool.dispose();
    this.device.destroy();
  }

  #run(label: string, steps: readonly Step[]): void {
    this.#faults.checkLost();
    this.#submissions.run(label, steps);
  }
}
