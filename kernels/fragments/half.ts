/**
 * Half precision (IEEE 754 binary16) as storage: numbers go in rounded, WGSL takes them out as f32.
 * Taking out is exact, so a kernel gives the same bits for f16 as for f32 that holds the same numbers.
 * @module
 */
import type { HostArray, Tensor } from "../device.ts";

/** Host memory of an f16 tensor, as twins get it. */
export type HalfArray = Float16Array<ArrayBuffer>;

const OVERFLOW = 65520; // halfway from the largest number, 65504, to what would be the next

/**
 * `data` as it is written into an f16 `tensor` from element `at` on: each number rounded to the nearest
 * (ties to even), and one more zero where the pair at the end has an element to spare.
 * @throws {RangeError} when a finite number would become infinite, or a pair would be torn
 */
export function toHalf(
  { label, length }: Tensor,
  data: HostArray | readonly number[],
  at: number,
): HalfArray {
  const end = at + data.length;
  if (at % 2 !== 0 || (end % 2 !== 0 && end !== length)) {
    throw new RangeError(
      `Cannot write ${label} as f16 is written in whole pairs: [${at}, ${end}) of ${length} was ` +
        "asked; start and end at even elements",
    );
  }
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(data[i]);
    if (size >= OVERFLOW && size < Infinity) {
      const found = `element ${at + i} is ${data[i]}`;
      throw new RangeError(
        `Cannot write ${label} as f16 holds numbers up to 65504: ${found}; store it as f32`,
      );
    }
  }
  if (data.length % 2 === 0) return new Float16Array(data);
  const padded = new Float16Array(data.length + 1);
  padded.set(data);
  return padded;
}

// `unpack2x16float` is part of every WebGPU; the extension `f16` is not, and no faster where it was tried.
const UNPACK = `
alias Half = u32; // two neighbours, the first in the low bits
alias Half4 = vec2u;
fn halfOf(pair: u32, i: u32) -> f32 { return unpack2x16float(pair)[i % 2u]; }
fn fourOf(pairs: vec2u) -> vec4f {
  return vec4f(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
}
`;

/**
 * The WGSL of a kernel that reads those `tensors` as f16 which do hold f16: their binding becomes an
 * array of packed halves, and `name[index]` unpacks the element, or the four of a vec4f. An index may
 * hold no brackets of its own. Where none holds f16 the text stays as it is.
 */
export function halved(code: string, tensors: Readonly<Record<string, Tensor>>): string {
  const names = Object.keys(tensors).filter((name) => tensors[name].dtype === "f16");
  if (names.length === 0) return code;
  let text = code;
  for (const name of names) {
    const declared = new RegExp(`(var<storage, read> ${name}: array)<(\\w+)>`);
    const element = text.match(declared)?.[2];
    const isNarrow = element === "f32" ||
      (element === "Pack" && text.includes("alias Pack = f32;"));
    text = text
      .replace(
        new RegExp(`\\b${name}\\[([^[\\]]*)\\]`, "g"),
        (_, index) =>
          isNarrow ? `halfOf(${name}[(${index}) / 2u], ${index})` : `fourOf(${name}[${index}])`,
      )
      .replace(declared, `$1<${isNarrow ? "Half" : "Half4"}>`);
  }
  return text + UNPACK;
}
