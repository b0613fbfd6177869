/** Column sums of a matrix: what the gradient of every bias is. @module */
import type { Device, FloatArray, Kernel, Tensor } from "./device.ts";
import code from "./column_sum.wgsl" with { type: "text" };
import { packed } from "./fragments/pack.ts";

const LANES = 64; // packs of columns in one workgroup

/**
 * How `N` rows are cut into `G` chunks of at most `R`. The cut depends on `N` alone, so the order of
 * additions, and with it the last bit of the sum, is the same in every run.
 */
export function rowChunks(N: number): { G: number; R: number } {
  const R = Math.max(16, Math.ceil(N / 128));
  return { G: Math.ceil(N / R), R };
}

const CHUNK: Omit<Kernel, "code"> = {
  label: "column_sum.chunk",
  entryPoint: "chunk",
  workgroup: LANES,
  twin(
    { x, partial }: Record<string, FloatArray>,
    { N, C, G, R }: Record<string, number>,
  ): void {
    for (let g = 0; g < G; g++) {
      const end = Math.min(N, (g + 1) * R);
      for (let c = 0; c < C; c++) {
        let sum = 0;
        for (let n = g * R; n < end; n++) sum += x[n * C + c];
        partial[g * C + c] = sum;
      }
    }
  },
};

const COMBINE: Omit<Kernel, "code"> = {
  label: "column_sum.combine",
  entryPoint: "combine",
  workgroup: LANES,
  twin({ sums, out }: Record<string, FloatArray>, { C, G }: Record<string, number>): void {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let g = 0; g < G; g++) sum += sums[g * C + c];
      out[c] += sum;
    }
  },
};

/** Elements of `scratch` that `columnSum` needs. */
export function columnSumScratch({ N, C }: { N: number; C: number }): number {
  return rowChunks(N).G * C;
}

/** Enqueues out (C) += sum over the rows of x (N, C). `scratch` is overwritten. */
export function columnSum(
  device: Device,
  { x, out, scratch }: Record<"x" | "out" | "scratch", Tensor>,
  { N, C }: { N: number; C: number },
): void {
  const { G, R } = rowChunks(N);
  const { PACK, text } = packed(code, C);
  device.launch({
    kernel: { ...CHUNK, ...text },
    dims: { N, C, G, R },
    bind: { x: [x, N * C], partial: [scratch, G * C] },
    groups: [Math.ceil(C / PACK / LANES), G],
  });
  combineChunks(device, { partial: scratch, out }, { G, C });
}

/** Enqueues out (C) += sum over the rows of partial (G, C): the second step, for kernels with their own first. */
export function combineChunks(
  device: Device,
  { partial, out }: Record<"partial" | "out", Tensor>,
  { G, C }: { G: number; C: number },
): void {
  const { PACK, text } = packed(code, C);
  device.launch({
    kernel: { ...COMBINE, ...text },
    dims: { N: 0, C, G, R: 0 },
    bind: { sums: [partial, G * C], out: [out, C] },
    threads: C / PACK,
  });
}
