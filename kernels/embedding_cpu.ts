/** The twins of the embedding, forward and backward. @module */
import type { FloatArray } from "./device.ts";
import type { HalfArray } from "./fragments/half.ts";

type Floats<Name extends string> = Record<Name, FloatArray>;
type Ints<Name extends string> = Record<Name, Uint32Array>;
/** Dims of embedding.wgsl. */
export type EmbeddingDims = Record<"N" | "B" | "T" | "C" | "V" | "first", number>;

/** The definition of `embedding`, for rows [first, first + V) of wte. */
export function embeddingTwin(
  { token, position, wte, wpe, out }:
    & Ints<"token" | "position">
    & Floats<"out">
    & Record<"wte" | "wpe", FloatArray | HalfArray>,
  { N, C, V, first }: EmbeddingDims,
): void {
  for (let n = 0; n < N; n++) {
    const row = token[n] - first;
    if (row < 0 || row >= V) continue;
    const from = row * C, at = position[n] * C, to = n * C;
    for (let c = 0; c < C; c++) out[to + c] = wte[from + c] + wpe[at + c];
  }
}

/** The definition of the gradient by wte, for rows [first, first + V) of it. */
export function embeddingTokensTwin(
  { dout, order, start, distinct, count, dwte }:
    & Ints<"order" | "start" | "distinct" | "count">
    & Floats<"dout" | "dwte">,
  { C, V, first }: EmbeddingDims,
): void {
  for (let k = 0; k < count[0]; k++) {
    const row = distinct[k] - first;
    if (row < 0 || row >= V) continue;
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let i = start[k]; i < start[k + 1]; i++) sum += dout[order[i] * C + c];
      dwte[row * C + c] += sum;
    }
  }
}

/** The definition of the gradient by wpe. */
export function embeddingPositionsTwin(
  { dout, dwpe }: Floats<"dout" | "dwpe">,
  { B, T, C }: EmbeddingDims,
): void {
  for (let t = 0; t < T; t++) {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let b = 0; b < B; b++) sum += dout[(b * T + t) * C + c];
      dwpe[t * C + c] += sum;
    }
  }
}
