/** Tensors: their alignment, views, row ranges and uploads. @module */
import type { Device, DeviceLimits, Dtype, HostArray, Tensor } from "./device.ts";

/**
 * Views start at multiples of this many elements of 4 bytes (256 bytes, WebGPU's portable binding
 * alignment). `alignOf` gives it for each type.
 */
export const ALIGN = 64;

/** Bytes of one element on a device that computes in f32. */
export const bytesOf = (dtype: Dtype): 2 | 4 => dtype === "f16" ? 2 : 4;

/** Views of a tensor of this type start at multiples of this many elements. */
export const alignOf = (dtype: Dtype): number => ALIGN * 4 / bytesOf(dtype);

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
 * Row ranges [start, end) of an (R, C) tensor, as few as fit one binding each, of like sizes, and each
 * starting aligned. A single range when the tensor fits. Of f32 unless `dtype` says otherwise.
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
  const units = Math.floor(most / unit); // of one range
  if (units === 0) {
    throw new RangeError(
      `Cannot bind ${unit} rows of ${C} elements as one binding holds ${limits.maxBinding} bytes: ` +
        `they need ${unit * C * bytesOf(dtype)}`,
    );
  }
  const all = Math.ceil(R / unit), step = Math.ceil(all / Math.ceil(all / units)) * unit;
  const ranges: [number, number][] = [];
  for (let start = 0; start < R; start += step) ranges.push([start, Math.min(R, start + step)]);
  return ranges;
}

/** The parts of a `table` (V, C) that each fit one binding, as launches bind them; V and first of each. */
export function tableRanges(
  { limits }: Pick<Device, "limits">,
  table: Tensor,
  { V, C }: { V: number; C: number },
): [part: readonly [Tensor, number], range: { V: number; first: number }][] {
  return rowRanges(limits, { R: V, C, dtype: table.dtype }).map(([start, end]) => {
    const size = (end - start) * C;
    return [[end - start === V ? table : view(table, start * C, size), size], {
      V: end - start,
      first: start,
    }];
  });
}
