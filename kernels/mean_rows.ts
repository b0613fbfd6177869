/** Mean of the real rows of each sequence. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import code from "./mean_rows.wgsl" with { type: "text" };
import { packed, packGrid } from "./fragments/pack.ts";

type Arrays = Record<"x" | "out", FloatArray> & { length: Uint32Array };
/** B sequences, T rows each, C channels. */
type Dims = Record<"B" | "T" | "C", number>;

function forward({ x, length, out }: Arrays, { B, T, C }: Dims): void {
  for (let b = 0; b < B; b++) {
    const end = Math.min(length[b], T);
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let t = 0; t < end; t++) sum += x[(b * T + t) * C + c];
      out[b * C + c] = sum / Math.max(end, 1);
    }
  }
}

/** Enqueues out (B, C) = mean of rows t < length u32 (B) of x (B, T, C); zeros where length is 0. */
export function meanRows(
  device: Device,
  { x, length, out }: Record<"x" | "length" | "out", Tensor>,
  { B, T, C }: Dims,
): void {
  const { workgroup, groups } = packGrid(B, C);
  device.launch({
    kernel: {
      label: "mean_rows.forward",
      entryPoint: "forward",
      twin: forward,
      ...packed(code, C).text,
      workgroup,
    },
    dims: { B, T, C },
    bind: { x: [x, B * T * C], length: [length, B], out: [out, B * C] },
    groups,
  });
}
