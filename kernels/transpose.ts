/** Transposition of a matrix. @module */
import type { Device, FloatArray, Kernel, Tensor } from "./device.ts";
import code from "./transpose.wgsl" with { type: "text" };

/** The definition. */
function twin(
  { x, out }: Record<"x" | "out", FloatArray>,
  { R, C }: Record<"R" | "C", number>,
): void {
  for (let r = 0; r < R; r++) {
    for (let c = 0; c < C; c++) out[c * R + r] = x[r * C + c];
  }
}

const SIDE = 8; // fours of a workgroup, by rows and by columns

const kernel: Kernel = {
  label: "transpose.transposed",
  entryPoint: "transposed",
  code,
  twin,
  workgroup: SIDE * SIDE,
};

/**
 * Enqueues out (C, R) = x (R, C) transposed.
 * @throws {RangeError} when R or C is no multiple of 4, or a tensor is too small
 */
export function transpose(
  device: Device,
  { x, out }: Record<"x" | "out", Tensor>,
  { R, C }: Record<"R" | "C", number>,
): void {
  if (R % 4 !== 0 || C % 4 !== 0) {
    throw new RangeError(
      `Cannot transpose as rows and columns come by fours: they are ${R} and ${C}`,
    );
  }
  device.launch({
    kernel,
    dims: { R, C },
    bind: { x: [x, R * C], out: [out, R * C] },
    groups: [Math.ceil(R / 4 / SIDE), Math.ceil(C / 4 / SIDE)],
  });
}
