/** The only file that talks to WebGPU: adapter, pool, launches, recorded programs, read-back. @module */
import {
  checkLaunch,
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
} from "./device.ts";
import { Pool } from "./pool.ts";

const WORKGROUP = 64; // threads per workgroup where a kernel does not say
const MAX_GROUPS = 65535; // per dimension, the portable limit
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
  /** Fields of `struct Dims` in order, each with its WGSL type. */
  dims: [name: string, type: string][];
  slots: Map<string, number>;
  group: number;
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
  #compiled = new Map<string, Compiled>();
  #recording: { steps: Step[]; uniforms: GPUBuffer[] } | undefined;
  #error: Error | undefined;
  #pool: Pool<Block>;

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
        buffer: device.createBuffer({ label, size: bytes, usage: USAGE }),
      }),
      (block) => block.buffer.destroy(),
      limits.maxBuffer,
    );
    // Without this listener Deno drops validation errors in silence.
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { error } = event as GPUUncapturedErrorEvent;
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
    // llvmpipe has subgroups although its feature list does not say so; its lane counts do.
    const offersSubgroups = first.features.has("subgroups" as GPUFeatureName) ||
      (isSoftware(first) && lanesOf(first.info)[0] > 0);
    const wantedFeatures = ["shader-f16", "timestamp-query"].filter((f) =>
      first.features.has(f as GPUFeatureName)
    );
    if (offersSubgroups) wantedFeatures.push("subgroups");
    const device = await first.requestDevice({
      label: "plainrl",
      requiredFeatures: wantedFeatures as GPUFeatureName[],
      requiredLimits: {
        maxBufferSize: offered.maxBufferSize,
        maxStorageBufferBindingSize: offered.maxStorageBufferBindingSize,
        maxStorageBuffersPerShaderStage: Math.min(16, offered.maxStorageBuffersPerShaderStage),
        maxComputeInvocationsPerWorkgroup: offered.maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupSizeX: offered.maxComputeWorkgroupSizeX,
        maxComputeWorkgroupStorageSize: offered.maxComputeWorkgroupStorageSize,
      },
    });
    const binding = Math.min(offered.maxStorageBufferBindingSize, maxBinding ?? Infinity);
    return new WebGpuDevice(device, first.info, isSoftware(first), {
      maxBinding: Math.floor(binding / 256) * 256,
      maxBuffer: offered.maxBufferSize,
    });
  }

  get memory(): MemoryUse {
    return this.#pool.memory;
  }

  alloc(length: number, label: string, dtype: Dtype = "f32"): Tensor {
    return this.#pool.alloc(length, label, dtype, 4);
  }

  free(tensor: Tensor): void {
    this.#pool.free(tensor);
  }

  trim(): void {
    this.#pool.trim();
  }

  write(tensor: Tensor, data: HostArray | readonly number[], at = 0): void {
    this.#pool.checkRange("write", tensor, at, data.length);
    const typed = tensor.dtype === "u32"
      ? (data instanceof Uint32Array ? data : Uint32Array.from(data))
      : (data instanceof Float32Array ? data : Float32Array.from(data));
    if (typed.length === 0) return;
    this.device.queue.writeBuffer(bufferOf(tensor), (tensor.offset + at) * 4, typed);
  }

  zero(tensor: Tensor): void {
    this.#pool.checkRange("zero", tensor, 0, tensor.length);
    const step = { clear: bufferOf(tensor), offset: tensor.offset * 4, size: tensor.length * 4 };
    if (this.#recording) this.#recording.steps.push(step);
    else this.#submit("zero", [step]);
  }

  launch(launch: Launch): void {
    checkLaunch(launch);
    const { kernel, dims, bind } = launch;
    const compiled = this.#compile(kernel);
    const uniform = this.device.createBuffer({
      label: `${kernel.label} dims`,
      size: uniformBytes(compiled.dims.length),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.device.queue.writeBuffer(uniform, 0, packDims(kernel, compiled.dims, dims));
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: { buffer: uniform } }];
    for (const [name, [tensor, elements]] of Object.entries(bind)) {
      const binding = compiled.slots.get(name);
      if (binding === undefined) {
        throw new TypeError(`Cannot launch ${kernel.label} as its WGSL declares no "${name}"`);
      }
      const size = Math.max(4, elements * 4);
      if (size > this.limits.maxBinding) {
        throw new RangeError(
          `Cannot launch ${kernel.label} as one binding holds ${this.limits.maxBinding} bytes: ` +
            `${name} needs ${size}; launch it in row ranges`,
        );
      }
      entries.push({
        binding,
        resource: {
          buffer: bufferOf(tensor),
          offset: tensor.offset * 4,
          size: pad16(size, tensor),
        },
      });
    }
    const group = this.device.createBindGroup({
      label: kernel.label,
      layout: compiled.layout,
      entries,
    });
    const step = { pipeline: compiled.pipeline, group, grid: gridOf(launch, compiled.group) };
    if (this.#recording) {
      this.#recording.steps.push(step);
      this.#recording.uniforms.push(uniform);
    } else {
      this.#submit(kernel.label, [step]);
      uniform.destroy(); // WebGPU keeps it alive until the submitted work is done
    }
  }

  record(label: string, build: () => void): Program {
    if (this.#recording) throw new Error(`Cannot record ${label} inside another recording`);
    const steps: Step[] = [];
    const uniforms: GPUBuffer[] = [];
    this.#recording = { steps, uniforms };
    try {
      build();
    } catch (error) {
      uniforms.forEach((uniform) => uniform.destroy());
      throw error;
    } finally {
      this.#recording = undefined;
    }
    return {
      label,
      length: steps.length,
      run: () => this.#submit(label, steps),
      [Symbol.dispose]: () => uniforms.splice(0).forEach((uniform) => uniform.destroy()),
    };
  }

  async read(...tensors: Tensor[]): Promise<HostArray[]> {
    for (const tensor of tensors) this.#pool.checkRange("read", tensor, 0, tensor.length);
    const size = Math.max(4, tensors.reduce((sum, { length }) => sum + length * 4, 0));
    const staging = this.device.createBuffer({
      label: "staging",
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    try {
      const encoder = this.device.createCommandEncoder({ label: "read" });
      let at = 0;
      for (const tensor of tensors) {
        const bytes = tensor.length * 4;
        encoder.copyBufferToBuffer(bufferOf(tensor), tensor.offset * 4, staging, at, bytes);
        at += bytes;
      }
      this.device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ).catch((error: unknown) => {
        throw this.#error ?? error;
      });
      if (this.#error) throw this.#error;
      const mapped = staging.getMappedRange();
      at = 0;
      return tensors.map(({ dtype, length }) => {
        const bytes = mapped.slice(at, at += length * 4);
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
    this.device.queue.submit([encoder.finish()]);
  }

  #compile(kernel: Kernel): Compiled {
    const constants: Record<string, number> = { ...kernel.constants };
    if (/override WORKGROUP\b/.test(kernel.code)) {
      constants.WORKGROUP = kernel.workgroup ?? WORKGROUP;
    }
    const key = `${kernel.label} ${JSON.stringify(constants)}`;
    const found = this.#compiled.get(key);
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
    const compiled: Compiled = {
      pipeline,
      layout: pipeline.getBindGroupLayout(0),
      dims: dimsOf(kernel),
      slots: new Map(
        [...kernel.code.matchAll(/@binding\((\d+)\)\s*var<[^>]*>\s*(\w+)\s*:/g)].map((m) => [
          m[2],
          Number(m[1]),
        ]),
      ),
      group: kernel.workgroup ?? WORKGROUP,
    };
    this.#compiled.set(key, compiled);
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

/** vec4 bindings need a multiple of 16 bytes; the pool pads every storage to 256, so rounding up is safe. */
function pad16(size: number, tensor: Tensor): number {
  return Math.min(Math.ceil(size / 16) * 16, tensor.storage.bytes - tensor.offset * 4);
}

/** The fields of `struct Dims { name: type, … }`, in order. */
function dimsOf({ label, code }: Kernel): [string, string][] {
  const body = code.match(/struct Dims\s*\{([^}]*)\}/);
  if (!body) throw new TypeError(`Cannot launch ${label} as its WGSL declares no "struct Dims"`);
  const fields = body[1].replace(/\/\/.*$/gm, "");
  return [...fields.matchAll(/(\w+)\s*:\s*(\w+)/g)].map((m) => [m[1], m[2]]);
}

/** Bytes of `fields` scalars; WebGPU wants uniforms in multiples of 16. */
const uniformBytes = (fields: number): number => Math.ceil(fields / 4) * 16;

function packDims(
  { label }: Kernel,
  fields: [string, string][],
  dims: Readonly<Record<string, number>>,
): Uint8Array<ArrayBuffer> {
  const bytes = new DataView(new ArrayBuffer(uniformBytes(fields.length)));
  fields.forEach(([name, type], i) => {
    const value = dims[name];
    if (value === undefined) {
      throw new TypeError(
        `Cannot launch ${label} as dims lacks "${name}": it has ${Object.keys(dims)}`,
      );
    }
    if (type === "f32") bytes.setFloat32(i * 4, value, true);
    else if (type === "i32") bytes.setInt32(i * 4, value, true);
    else bytes.setUint32(i * 4, value, true);
  });
  return new Uint8Array(bytes.buffer);
}

function gridOf(
  { kernel, threads, groups }: Launch,
  workgroup: number,
): readonly [number, number, number] {
  if (groups) {
    const [x, y = 1, z = 1] = groups;
    if (Math.max(x, y, z) > MAX_GROUPS) {
      throw new RangeError(
        `Cannot launch ${kernel.label} as a grid has at most ${MAX_GROUPS} workgroups a side: ${groups}`,
      );
    }
    return [x, y, z];
  }
  if (threads === undefined) {
    throw new TypeError(`Cannot launch ${kernel.label} as it states neither threads nor groups`);
  }
  return [Math.min(MAX_GROUPS, Math.ceil(threads / workgroup)), 1, 1];
}
