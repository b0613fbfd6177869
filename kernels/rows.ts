/** Picking rows out of a matrix by index, and the gradient of that. @module */
import type { Device, FloatArray, Kernel, Tensor } from "./device.ts";
import { packed } from "./fragments/pack.ts";
import code from "./rows.wgsl" with { type: "text" };

const LANES = 32; // packs of one row in one workgroup: all of C = 128

/** The index that stands for "no row": gather gives zeros for it, scatter skips it. */
export const NO_ROW = 0xffffffff;

type Arrays = Record<string, FloatArray> & { index: Uint32Array };
/** N picked rows, R rows of x, C channels. */
type Dims = Record<"N" | "R" | "C", number>;

function gather({ x, index, out }: Arrays, { N, R, C }: Dims): void {
  for (let n = 0; n < N; n++) {
    const row = index[n];
    for (let c = 0; c < C; c++) out[n * C + c] = row < R ? x[row * C + c] : 0;
  }
}

function scatter({ dout, index, dx }: Arrays, { N, R, C }: Dims): void {
  for (let n = 0; n < N; n++) {
    const row = index[n];
    if (row >= R) continue;
    for (let c = 0; c < C; c++) dx[row * C + c] += dout[n * C + c];
  }
}

function launch(
  device: Device,
  kernel: Pick<Kernel, "label" | "entryPoint" | "twin">,
  bind: Record<string, readonly [Tensor, number]>,
  dims: Dims,
): void {
  const { PACK, text } = packed(code, dims.C);
  device.launch({
    kernel: { ...kernel, ...text, workgroup: LANES },
    dims,
    bind,
    groups: [Math.ceil(dims.C / PACK / LANES), Math.min(dims.N, 65535)],
  });
}

/** Enqueues out (N, C) = rows `index` u32 (N) of x (R, C); zeros where the index is `NO_ROW`. */
export function gatherRows(
  device: Device,
  { x, index, out }: Record<"x" | "index" | "out", Tensor>,
  { N, R, C }: Dims,
): void {
  launch(device, { label: "rows.gather", entryPoint: "gather", twin: gather }, {
    x: [x, R * C],
    index: [index, N],
    out: [out, N * C],
  }, { N, R, C });
}

/**
 * Enqueues dx (R, C) rows `index` u32 (N) += dout (N, C); nothing where the index is `NO_ROW`. The
 * other indices must be distinct: two equal ones would race.
 */
export function scatterRows(
  device: Device,
  { dout, index, dx }: Record<"dout" | "index" | "dx", Tensor>,
  { N, R, C }: Dims,
): void {
  launch(device, { label: "rows.scatter", entryPoint: "scatter", twin: scatter }, {
    dout: [dout, N * C],
    index: [index, N],
    dx: [dx, R * C],
  }, { N, R, C });
}
