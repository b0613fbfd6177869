/** The only file that talks to WebGPU: adapter, pool, launches, recorded programs, read-back. @module */
import {
  bytesOf,
  type Device,
  type DeviceLimits,
  type Dtype,
  type HostArray,
  type Kernel,
  type Launch,
  type MemoryUse,
  type Program,
  type Storage,
  type Tensor,
} from "../device.ts";
import { toHalf } from "../fragments/half.ts";
import { checkLaunch, declared, gridOf, packDims, Touched, workgroupOf } from "./launch.ts";
import { OutOfMemoryError, Pool } from "./pool.ts";

const MOST_WRITTEN = 2 ** 26; // bytes between submissions
const USAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** Raised when the driver takes the device away: a crash, a reset, or `destroy`. */
export class DeviceLostError extends Error {
  override name = "DeviceLostError";
}

interface Block extends Storage {
  readonly buffer: GPUBuffer;
}

type Step =
  | { pipeline: GPUComputePipeline; group: GPUBindGroup; grid: readonly [number, number, number] }
  | { clear: GPUBuffer; offset: number; size: number };

interface Compiled {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

/** Options of `WebGpuDevice.open`. */
export interface WebGpuOptions {
  /** Which adapters to accept; "any" takes hardware first, else software. Default "any". */
  adapter?: "any" | "hardware" | "software";
  /** Caps the bytes of one binding below the adapter's own limit; tests use it to force row ranges. */
  maxBinding?: number;
}

/** A device on a WebGPU adapter. A failed launch surfaces at the next `read`. */
export class WebGpuDevice implements Device {
  readonly kind = "webgpu";
  readonly name: string;
  readonly software: boolean;
  readonly limits: DeviceLimits;
  readonly features: ReadonlySet<string>;
  #compiled = new Map<string, Map<string, Compiled>>(); // by code, then label and constants
  #recording: { steps: Step[]; uniforms: GPUBuffer[]; touched: Touched } | undefined;
  #error: Error | undefined;
  #pool: Pool<Block>;
  #uniformBytes = 0; // of recorded programs
  #written = 0; // bytes since the last submission
  #asked = new Set<Promise<unknown>>(); // allocations that the driver has not answered

  private constructor(
    readonly device: GPUDevice,
    info: GPUAdapterInfo,
    software: boolean,
    limits: DeviceLimits,
  ) {
    this.name = info.description || info.device || info.vendor || "unnamed adapter";
    this.software = software;
    this.limits = limits;
    this.features = new Set([...device.features, ...eightLanes(device, info)]);
    this.#pool = new Pool<Block>(
      (bytes, label) => ({
        bytes,
        live: true,
        buffer: this.#createBuffer({ label, size: bytes, usage: USAGE }),
      }),
      (block) => block.buffer.destroy(),
      limits.maxBuffer,
    );
    // Without this listener Deno drops validation errors in silence.
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { error } = event as GPUUncapturedErrorEvent;
      if (error instanceof GPUOutOfMemoryError) this.#isFull("a transfer", 0, this.memory.held);
      this.#error ??= new Error(`GPU validation failed: ${error.message.trim()}`);
    });
    device.lost.then((lost) => {
      this.#error = new DeviceLostError(
        `Cannot go on as the GPU device was lost: ${lost.message || lost.reason}. ` +
          `Resume from the last checkpoint, or use --device cpu`,
      );
    });
  }

  /**
   * Opens an adapter with the largest buffers and bindings that it offers.
   * @throws {Error} when no adapter of the wanted kind answers
   */
  static async open({ adapter: wanted = "any", maxBinding }: WebGpuOptions = {}): Promise<
    WebGpuDevice
  > {
    const gpu = navigator.gpu;
    const first = wanted === "software"
      ? await gpu?.requestAdapter({ forceFallbackAdapter: true })
      : await gpu?.requestAdapter({ powerPreference: "high-performance" });
    if (!first || (wanted === "hardware" && isSoftware(first))) {
      throw new Error(
        `Cannot open a ${wanted === "any" ? "" : wanted + " "}WebGPU adapter: ` +
          `${first ? `only "${first.info.description}" answered` : "none answered"}; ` +
          "install a Vulkan driver (Debian: apt-get install mesa-vulkan-drivers libvulkan1)",
      );
    }
    const offered = first.limits;
    const features = (["shader-f16", "timestamp-query"] as GPUFeatureName[]).filter((feature) =>
      first.features.has(feature)
    );
    const request = (requiredFeatures: GPUFeatureName[]) =>
      first.requestDevice({
        label: "plainrl",
        requiredFeatures,
        requiredLimits: {
          maxBufferSize: offered.maxBufferSize,
          maxStorageBufferBindingSize: offered.maxStorageBufferBindingSize,
          maxStorageBuffersPerShaderStage: Math.min(16, offered.maxStorageBuffersPerShaderStage),
          maxComputeInvocationsPerWorkgroup: offered.maxComputeInvocationsPerWorkgroup,
          maxComputeWorkgroupSizeX: offered.maxComputeWorkgroupSizeX,
          maxComputeWorkgroupStorageSize: offered.maxComputeWorkgroupStorageSize,
        },
      });
    // llvmpipe has subgroups although its feature list may not say so: asking is the only way to know.
    const device = await request([...features, "subgroups" as GPUFeatureName])
      .catch(() => request(features));
    const binding = Math.min(offered.maxStorageBufferBindingSize, maxBinding ?? Infinity);
    return new WebGpuDevice(device, first.info, isSoftware(first), {
      maxBinding: Math.floor(binding / 256) * 256,
      maxBuffer: offered.maxBufferSize,
    });
  }

  get memory(): MemoryUse {
    return { ...this.#pool.memory, programs: this.#uniformBytes };
  }

  alloc(length: number, label: string, dtype: Dtype = "f32"): Tensor {
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
    const typed = tensor.dtype === "f16"
      ? toHalf(tensor, data, at)
      : tensor.dtype === "u32"
      ? (data instanceof Uint32Array ? data : Uint32Array.from(data))
      : (data instanceof Float32Array ? data : Float32Array.from(data));
    const from = (tensor.offset + at) * bytesOf(tensor.dtype);
    this.device.queue.writeBuffer(bufferOf(tensor), from, typed);
    // The queue holds a copy of what is written until the next submission: without one, a model that
    // is loaded would be in memory twice.
    this.#written += typed.byteLength;
    if (this.#written >= MOST_WRITTEN) this.#submitAll([]);
  }

  zero(tensor: Tensor): void {
    this.#pool.checkRange("zero", tensor, 0, tensor.length);
    const step = { clear: bufferOf(tensor), offset: startOf(tensor), size: sizeOf(tensor) };
    if (!this.#recording) return this.#submit("zero", [step]);
    this.#recording.steps.push(step);
    this.#recording.touched.add(tensor);
  }

  launch(launch: Launch): void {
    checkLaunch(launch, this.limits);
    const { kernel, dims, bind } = launch;
    const { pipeline, layout } = this.#compile(kernel);
    const { slots } = declared(kernel);
    const packed = packDims(kernel, dims);
    const uniform = this.#makeUniform(kernel.label, packed);
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: { buffer: uniform } }];
    for (const [name, [tensor, elements]] of Object.entries(bind)) {
      const size = pad16(Math.max(4, elements * bytesOf(tensor.dtype)), tensor);
      const resource = { buffer: bufferOf(tensor), offset: startOf(tensor), size };
      entries.push({ binding: slots.get(name)!.binding, resource });
    }
    const group = this.device.createBindGroup({
      label: kernel.label,
      layout,
      entries,
    });
    const step = { pipeline, group, grid: gridOf(launch) };
    if (this.#recording) {
      this.#recording.steps.push(step);
      this.#recording.uniforms.push(uniform);
      this.#uniformBytes += uniform.size;
      for (const [tensor] of Object.values(bind)) this.#recording.touched.add(tensor);
    } else {
      this.#submit(kernel.label, [step]);
      uniform.destroy(); // WebGPU keeps it alive until the submitted work is done
    }
  }

  record(label: string, build: () => void): Program {
    if (this.#recording) throw new Error(`Cannot record ${label} inside another recording`);
    const steps: Step[] = [];
    const uniforms: GPUBuffer[] = [];
    const touched = new Touched(label);
    this.#recording = { steps, uniforms, touched };
    try {
      build();
    } catch (error) {
      this.#freeUniforms(uniforms);
      throw error;
    } finally {
      this.#recording = undefined;
    }
    return {
      label,
      length: steps.length,
      run: () => {
        touched.check();
        this.#submit(label, steps);
      },
      [Symbol.dispose]: () => {
        this.#freeUniforms(uniforms.splice(0));
        steps.length = 0;
        touched.dispose();
      },
    };
  }

  async read(...tensors: Tensor[]): Promise<HostArray[]> {
    if (this.#error) throw await this.#cause();
    for (const tensor of tensors) this.#pool.checkRange("read", tensor, 0, tensor.length);
    const size = Math.max(4, tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0));
    const staging = this.#createBuffer({
      label: "staging",
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    try {
      const encoder = this.device.createCommandEncoder({ label: "read" });
      let at = 0;
      for (const tensor of tensors) {
        const bytes = sizeOf(tensor);
        encoder.copyBufferToBuffer(bufferOf(tensor), startOf(tensor), staging, at, bytes);
        at += bytes;
      }
      this.#submitAll([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ).catch(async (error: unknown) => {
        // The reason arrives as an event a turn or two after the refusal.
        await Promise.race([this.device.lost, new Promise((done) => setTimeout(done, 50))]);
        throw await this.#cause() ?? error;
      });
      const error = await this.#cause();
      if (error) throw error;
      const mapped = staging.getMappedRange();
      at = 0;
      return tensors.map((tensor) => {
        const { dtype, length } = tensor;
        const bytes = mapped.slice(at, at += sizeOf(tensor));
        if (dtype === "f16") return new Float32Array(new Float16Array(bytes, 0, length));
        return dtype === "u32" ? new Uint32Array(bytes) : new Float32Array(bytes);
      });
    } finally {
      staging.destroy();
    }
  }

  [Symbol.dispose](): void {
    this.#pool.dispose();
    this.device.destroy();
  }

  /** A driver without memory says so later, and all that then uses the buffer is invalid besides. */
  #createBuffer(descriptor: GPUBufferDescriptor & { label: string }): GPUBuffer {
    const { label, size } = descriptor, { held } = this.#pool.memory;
    this.device.pushErrorScope("out-of-memory");
    const buffer = this.device.createBuffer(descriptor);
    const answer = this.device.popErrorScope()
      .then((error) => error && this.#isFull(label, size, held))
      .catch(() => {}) // the device is lost, which is reported elsewhere
      .finally(() => this.#asked.delete(answer));
    this.#asked.add(answer);
    return buffer;
  }

  /** Puts the cause in the place of the validation errors that follow from it. */
  #isFull(label: string, bytes: number, held: number): void {
    const known = this.#error instanceof OutOfMemoryError || this.#error instanceof DeviceLostError;
    if (!known) this.#error = new OutOfMemoryError(label, bytes, held);
  }

  /** What went wrong first, once every allocation was answered. */
  async #cause(): Promise<Error | undefined> {
    await Promise.all(this.#asked);
    return this.#error;
  }

  #makeUniform(label: string, data: Uint8Array<ArrayBuffer>): GPUBuffer {
    const uniform = this.device.createBuffer({
      label: `${label} dims`,
      size: data.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.device.queue.writeBuffer(uniform, 0, data);
    return uniform;
  }

  #freeUniforms(uniforms: readonly GPUBuffer[]): void {
    for (const uniform of uniforms) {
      this.#uniformBytes -= uniform.size;
      uniform.destroy();
    }
  }

  #submit(label: string, steps: readonly Step[]): void {
    if (this.#error instanceof DeviceLostError) throw this.#error;
    const encoder = this.device.createCommandEncoder({ label });
    let pass: GPUComputePassEncoder | undefined;
    for (const step of steps) {
      if ("clear" in step) {
        pass?.end();
        pass = undefined;
        encoder.clearBuffer(step.clear, step.offset, step.size);
        continue;
      }
      pass ??= encoder.beginComputePass({ label });
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, step.group);
      pass.dispatchWorkgroups(...step.grid);
    }
    pass?.end();
    this.#submitAll([encoder.finish()]);
  }

  #submitAll(commands: GPUCommandBuffer[]): void {
    this.device.queue.submit(commands);
    this.#written = 0;
  }

  #compile(kernel: Kernel): Compiled {
    const constants: Record<string, number> = { ...kernel.constants };
    if (/override WORKGROUP\b/.test(kernel.code)) {
      constants.WORKGROUP = workgroupOf(kernel);
    }
    const key = `${kernel.label} ${JSON.stringify(constants)}`;
    let variants = this.#compiled.get(kernel.code);
    if (!variants) this.#compiled.set(kernel.code, variants = new Map());
    const found = variants.get(key);
    if (found) return found;
    const pipeline = this.device.createComputePipeline({
      label: kernel.label,
      layout: "auto",
      compute: {
        module: this.device.createShaderModule({ label: kernel.label, code: kernel.code }),
        entryPoint: kernel.label.split(".")[1],
        constants,
      },
    });
    const compiled = { pipeline, layout: pipeline.getBindGroupLayout(0) };
    variants.set(key, compiled);
    return compiled;
  }
}

/** Fewest and most lanes of a subgroup; zeros where the adapter does not say. */
function lanesOf(info: GPUAdapterInfo): [number, number] {
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = info as Partial<
    Record<"subgroupMinSize" | "subgroupMaxSize", number>
  >;
  return [subgroupMinSize, subgroupMaxSize];
}

/** The feature name that `matmul` looks for: shuffles among exactly 8 lanes work. */
function eightLanes(device: GPUDevice, info: GPUAdapterInfo): string[] {
  const isEight = lanesOf(info).every((lanes) => lanes === 8);
  return isEight && device.features.has("subgroups" as GPUFeatureName) ? ["subgroups-8"] : [];
}

/** True for adapters that compute on the processor (llvmpipe, SwiftShader, WARP). */
function isSoftware(adapter: GPUAdapter): boolean {
  return adapter.info.isFallbackAdapter ||
    /llvmpipe|lavapipe|swiftshader|basic render/i.test(adapter.info.description);
}

const bufferOf = (tensor: Tensor): GPUBuffer => (tensor.storage as Block).buffer;

/** Byte of the buffer at which the tensor starts. */
const startOf = ({ offset, dtype }: Tensor): number => offset * bytesOf(dtype);

/** Bytes of the tensor, in fours as WebGPU copies and clears: an odd f16 owns the other of its pair. */
const sizeOf = ({ length, dtype }: Tensor): number => Math.ceil(length * bytesOf(dtype) / 4) * 4;

/** vec4 bindings need a multiple of 16 bytes; the pool pads every storage to 256, so rounding up is safe. */
function pad16(size: number, tensor: Tensor): number {
  return Math.min(Math.ceil(size / 16) * 16, tensor.storage.bytes - startOf(tensor));
}
