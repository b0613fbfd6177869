/** What the WGSL of a kernel declares: its dims and its storage bindings, read off the text. @module */
import type { Dtype, Kernel, Launch } from "../device.ts";

/** The declarations of one text. */
export interface Declared {
  /** The fields of `struct Dims`, in order. */
  readonly fields: readonly (readonly [name: string, type: DimType])[];
  /** Its storage bindings by name. */
  readonly slots: ReadonlyMap<string, Slot>;
}

/** Types that a field of `struct Dims` may have. */
export type DimType = typeof DIM_TYPES[number];

/** One `var<storage>`. */
export interface Slot {
  readonly binding: number;
  readonly writes: boolean;
  /** As the text has it, "array<vec4f>". */
  readonly type: string;
  /** What a tensor must hold to be bound here. */
  readonly dtype: Dtype;
}

const DIM_TYPES = ["u32", "i32", "f32"] as const;

/** Elements of storage arrays. `Pack` is f32 or vec4f (pack1.wgsl, pack4.wgsl), a half packed f16 (half.wgsl). */
const ELEMENTS: Readonly<Record<Dtype, readonly string[]>> = {
  f32: ["f32", "vec2f", "vec4f", "vec2<f32>", "vec4<f32>", "Pack"],
  u32: ["u32", "vec2u", "vec4u", "vec2<u32>", "vec4<u32>", "atomic<u32>"],
  f16: ["Half", "Half4"],
};

const known = new Map<string, Declared>(); // by code

/**
 * Reads the declarations off the WGSL, once a text.
 * @throws {TypeError} when it has no `struct Dims`, or a field or binding of a type that is not known
 */
export function declared({ label, code }: Pick<Kernel, "label" | "code">): Declared {
  let found = known.get(code);
  if (!found) {
    const plain = code.replace(/\/\/.*$/gm, "");
    found = { fields: fieldsOf(label, plain), slots: slotsOf(label, plain) };
    known.set(code, found);
  }
  return found;
}

function fieldsOf(label: string, plain: string): Declared["fields"] {
  const body = plain.match(/struct Dims\s*\{([^}]*)\}/);
  if (!body) throw new TypeError(`Cannot launch ${label} as its WGSL declares no "struct Dims"`);
  return [...body[1].matchAll(/(\w+)\s*:\s*([\w<>]+)/g)].map(([, name, type]) => {
    const dim = DIM_TYPES.find((one) => one === type);
    if (dim) return [name, dim];
    throw new TypeError(
      `Cannot launch ${label} as the field ${name} of its struct Dims must be one of ${
        DIM_TYPES.join(", ")
      }: it is ${type}`,
    );
  });
}

const BINDING = /@binding\((\d+)\)\s*var<storage([^>]*)>\s*(\w+)\s*:\s*([^;]+?)\s*;/g;

function slotsOf(label: string, plain: string): Declared["slots"] {
  return new Map(
    [...plain.matchAll(BINDING)].map(([, binding, access, name, type]) => [name, {
      binding: Number(binding),
      writes: access.includes("write"),
      type,
      dtype: dtypeOf(label, name, type),
    }]),
  );
}

function dtypeOf(label: string, name: string, type: string): Dtype {
  const element = type.replace(/\s/g, "").replace(/^array<(.*)>$/, "$1");
  for (const [dtype, elements] of Object.entries(ELEMENTS) as [Dtype, readonly string[]][]) {
    if (elements.includes(element)) return dtype;
  }
  throw new TypeError(
    `Cannot launch ${label} as the elements of ${name} must be of a type that a tensor has, one of ${
      Object.values(ELEMENTS).flat().join(", ")
    }: its binding is ${type}`,
  );
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
