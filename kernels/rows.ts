/** Picking rows out of a matrix by index. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import { packed, packGrid } from "./fragments/pack.ts";
import code from "./rows.wgsl" with { type: "text" };

/** The index that stands for "no row": gather gives zeros for it, `addRows` skips it. */
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

/**
 * Enqueues out (N, C) = rows `index` u32 (N) of x (R, C), some perhaps more than once; zeros where the
 * index is `NO_ROW`. `addRows` goes back through it.
 */
export function gatherRows(
  device: Device,
  { x, index, out }: Record<"x" | "index" | "out", Tensor>,
  { N, R, C }: Dims,
): void {
  const { text } = packed(code, C), { workgroup, groups } = packGrid(N, C);
  device.launch({
    kernel: { label: "rows.gather", entryPoint: "gather", twin: gather, ...text, workgroup },
    dims: { N, R, C },
    bind: { x: [x, R * C], index: [index, N], out: [out, N * C] },
    groups,
  });
}
