/** What both devices check before a launch or a replay, so that a mistake reads the same on either. @module */
import type { DeviceLimits, Kernel, Launch, Tensor } from "../device.ts";
import { bytesOf } from "../tensor.ts";
import { declared, type DimType, type Slot } from "./declared.ts";

const WORKGROUP = 64; // threads per workgroup where a kernel does not say
const MAX_GROUPS = 65535; // per dimension, the portable limit

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
    const slot = slots.get(name);
    if (!slot) {
      throw new TypeError(
        `Cannot launch ${label} as its WGSL declares no "${name}": it has ${[...slots.keys()]}`,
      );
    }
    checkTensor(label, name, tensor, slot);
    checkSize(label, name, [tensor, elements], limits);
  }
  checkAliases(launch, slots);
  gridOf(launch);
}

/** The tensors of a launch, and those of them that it writes to. */
export function tensorsOf({ kernel, bind }: Launch): [all: Tensor[], written: Tensor[]] {
  const { slots } = declared(kernel), bound = Object.entries(bind);
  const written = bound.filter(([name]) => slots.get(name)!.writes);
  return [bound.map(([, [tensor]]) => tensor), written.map(([, [tensor]]) => tensor)];
}

function checkTensor(label: string, name: string, tensor: Tensor, { dtype, type }: Slot): void {
  if (!tensor.storage.live) {
    throw new Error(
      `Cannot launch ${label} as ${name} must be live: "${tensor.label}" was freed`,
    );
  }
  if (tensor.dtype !== dtype) {
    throw new TypeError(
      `Cannot launch ${label} as ${name}, ${type} in the WGSL, takes ${dtype}: ` +
        `"${tensor.label}" is ${tensor.dtype}`,
    );
  }
}

function checkSize(
  label: string,
  name: string,
  [tensor, elements]: Launch["bind"][string],
  limits: DeviceLimits,
): void {
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

function checkDim(label: string, dims: Launch["dims"], name: string, type: DimType): void {
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
function checkAliases({ kernel, bind }: Launch, slots: ReadonlyMap<string, Slot>): void {
  const entries = Object.entries(bind);
  for (const [i, [name, [tensor, elements]]] of entries.entries()) {
    const { writes } = slots.get(name)!;
    for (const [other, [otherTensor, size]] of entries.slice(0, i)) {
      if (otherTensor.storage !== tensor.storage) continue;
      const apart = tensor.offset >= otherTensor.offset + size ||
        otherTensor.offset >= tensor.offset + elements;
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

/** The override constants that the kernel is compiled with. */
export function overridesOf(kernel: Kernel): Readonly<Record<string, number>> {
  const hasWorkgroup = /override WORKGROUP\b/.test(kernel.code);
  return { ...kernel.constants, ...(hasWorkgroup && { WORKGROUP: workgroupOf(kernel) }) };
}

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
