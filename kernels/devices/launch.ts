/** What both devices check before a launch or a replay, so that a mistake reads the same on either. @module */
import {
  bytesOf,
  type DeviceLimits,
  type Dtype,
  type Kernel,
  type Launch,
  type Storage,
  type Tensor,
} from "../device.ts";

const WORKGROUP = 64; // threads per workgroup where a kernel does not say
const MAX_GROUPS = 65535; // per dimension, the portable limit

/** What the WGSL of a kernel declares. */
export interface Declared {
  /** The fields of `struct Dims`, in order. */
  readonly fields: readonly (readonly [name: string, type: string])[];
  /** Its storage bindings by name. */
  readonly slots: ReadonlyMap<string, Slot>;
}

/** One `var<storage>`. */
interface Slot {
  readonly binding: number;
  readonly writes: boolean;
  /** As the text has it, "array<vec4f>". */
  readonly type: string;
  /** What a tensor must hold to be bound here; absent where the type does not tell. */
  readonly dtype?: Dtype;
}

/** Elements of storage arrays. `Pack` is f32 or vec4f (pack.ts), the halves are packed f16 (half.ts). */
const ELEMENTS: readonly (readonly [element: RegExp, dtype: Dtype])[] = [
  [/^(f32|vec[24]f|vec[24]<f32>|Pack)$/, "f32"],
  [/^(u32|vec[24]u|vec[24]<u32>|atomic<u32>)$/, "u32"],
  [/^(Half|Half4)$/, "f16"],
];

function dtypeOf(type: string): Dtype | undefined {
  const element = type.replace(/^array<(.*)>$/, "$1");
  return ELEMENTS.find(([pattern]) => pattern.test(element))?.[1];
}

const known = new Map<string, Declared>(); // by code

/** Reads the declarations off the WGSL, once a text. */
export function declared({ label, code }: Kernel): Declared {
  const found = known.get(code);
  if (found) return found;
  const plain = code.replace(/\/\/.*$/gm, "");
  const body = plain.match(/struct Dims\s*\{([^}]*)\}/);
  if (!body) throw new TypeError(`Cannot launch ${label} as its WGSL declares no "struct Dims"`);
  const fields = [...body[1].matchAll(/(\w+)\s*:\s*(\w+)/g)].map((m) => [m[1], m[2]] as const);
  const slots = new Map(
    [...plain.matchAll(/@binding\((\d+)\)\s*var<storage([^>]*)>\s*(\w+)\s*:\s*([^;\s]+)/g)].map((
      [, binding, access, name, type],
    ) => [
      name,
      { binding: Number(binding), writes: access.includes("write"), type, dtype: dtypeOf(type) },
    ]),
  );
  known.set(code, { fields, slots });
  return { fields, slots };
}

/**
 * Checks a launch: dims and bindings under the names that the WGSL declares, live tensors of the
 * right size that fit one binding, and no memory that is written through one binding and touched
 * through another.
 */
export function checkLaunch(launch: Launch, limits: DeviceLimits): void {
  const { kernel: { label }, dims, bind } = launch;
  const { fields, slots } = declared(launch.kernel);
  for (const [name, type] of fields) checkDim(label, dims, name, type);
  for (const [name, [tensor, elements]] of Object.entries(bind)) {
    if (!slots.has(name)) {
      throw new TypeError(
        `Cannot launch ${label} as its WGSL declares no "${name}": it has ${[...slots.keys()]}`,
      );
    }
    if (!tensor.storage.live) {
      throw new Error(
        `Cannot launch ${label} as ${name} must be live: "${tensor.label}" was freed`,
      );
    }
    const { dtype, type } = slots.get(name)!;
    if (dtype !== undefined && tensor.dtype !== dtype) {
      throw new TypeError(
        `Cannot launch ${label} as ${name}, ${type} in the WGSL, takes ${dtype}: ` +
          `"${tensor.label}" is ${tensor.dtype}`,
      );
    }
    if (!(tensor.length >= elements)) {
      throw new RangeError(
        `Cannot launch ${label} as ${name} needs ${elements} elements: ` +
          `"${tensor.label}" has ${tensor.length}`,
      );
    }
    const bytes = elements * bytesOf(tensor.dtype);
    if (bytes > limits.maxBinding) {
      throw new RangeError(
        `Cannot launch ${label} as one binding holds ${limits.maxBinding} bytes: ` +
          `${name} needs ${bytes}; launch it in row ranges`,
      );
    }
  }
  checkAliases(launch, slots);
  gridOf(launch);
}

function checkDim(label: string, dims: Launch["dims"], name: string, type: string): void {
  const value = dims[name];
  if (value === undefined) {
    throw new TypeError(
      `Cannot launch ${label} as dims lacks "${name}": it has ${Object.keys(dims)}`,
    );
  }
  const [low, high] = type === "u32" ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  if (type !== "f32" && !(Number.isInteger(value) && value >= low && value <= high)) {
    throw new RangeError(
      `Cannot launch ${label} as ${name} is ${type}, an integer of [${low}, ${high}]: it is ${value}`,
    );
  }
}

/** WebGPU forbids one dispatch to read and write one buffer, or to write one range twice. */
function checkAliases({ kernel, bind }: Launch, slots: Declared["slots"]): void {
  const entries = Object.entries(bind);
  for (const [i, [name, [tensor, elements]]] of entries.entries()) {
    const { writes } = slots.get(name)!;
    for (const [other, [twin, size]] of entries.slice(0, i)) {
      if (twin.storage !== tensor.storage) continue;
      const apart = tensor.offset >= twin.offset + size || twin.offset >= tensor.offset + elements;
      const alike = slots.get(other)!.writes === writes;
      if (alike && (apart || !writes)) continue;
      throw new TypeError(
        `Cannot launch ${kernel.label} as ${other} and ${name} share the memory of ` +
          `"${tensor.label}" and ${alike ? "both write" : "one of them writes"}; ` +
          "give one of them a buffer of its own",
      );
    }
  }
}

/** Threads of one workgroup. */
export const workgroupOf = (kernel: Kernel): number => kernel.workgroup ?? WORKGROUP;

/** How many workgroups the launch starts on each side. */
export function gridOf(
  { kernel, threads, groups }: Launch,
): readonly [x: number, y: number, z: number] {
  if (groups) {
    const [x, y = 1, z = 1] = groups;
    if (Math.max(x, y, z) > MAX_GROUPS) {
      throw new RangeError(
        `Cannot launch ${kernel.label} as a grid has at most ${MAX_GROUPS} workgroups a side: ` +
          `${groups}`,
      );
    }
    return [x, y, z];
  }
  if (threads === undefined) {
    throw new TypeError(`Cannot launch ${kernel.label} as it states neither threads nor groups`);
  }
  return [Math.min(MAX_GROUPS, Math.ceil(threads / workgroupOf(kernel))), 1, 1];
}

/** The dims as the uniform buffer holds them: each by its declared type, at 4-byte steps. */
export function packDims(kernel: Kernel, dims: Launch["dims"]): Uint8Array<ArrayBuffer> {
  const { fields } = declared(kernel);
  // WebGPU wants uniforms in multiples of 16 bytes.
  const bytes = new DataView(new ArrayBuffer(Math.ceil(fields.length / 4) * 16));
  for (const [i, [name, type]] of fields.entries()) {
    if (type === "f32") bytes.setFloat32(i * 4, dims[name], true);
    else if (type === "i32") bytes.setInt32(i * 4, dims[name], true);
    else bytes.setUint32(i * 4, dims[name], true);
  }
  return new Uint8Array(bytes.buffer);
}

/** The storages that a recorded program touches, each with the label it was recorded under. */
export class Touched {
  #labels = new Map<Storage, string>();
  #disposed = false;

  constructor(readonly program: string) {}

  /** Notes a tensor that a recorded step uses. */
  add({ storage, label }: Tensor): void {
    this.#labels.set(storage, label);
  }

  /** Ends the program. */
  dispose(): void {
    this.#disposed = true;
    this.#labels.clear();
  }

  /** @throws {Error} when the program was disposed, or one of its tensors was freed */
  check(): void {
    if (this.#disposed) throw new Error(`Cannot run ${this.program} as it was disposed`);
    for (const [storage, label] of this.#labels) {
      if (!storage.live) {
        throw new Error(
          `Cannot run ${this.program} as its tensors must be live: "${label}" was freed; ` +
            "record it again",
        );
      }
    }
  }
}
