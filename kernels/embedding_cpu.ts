/** The twin of the embedding. @module */
import type { FloatArray } from "./device.ts";
import type { HalfArray } from "./fragments/half.ts";

/** The definition of `embedding`, for rows [first, first + V) of wte. */
export function embeddingTwin(
  { token, position, wte, wpe, out }:
    & Record<"token" | "position", Uint32Array>
    & Record<"wte" | "wpe", FloatArray | HalfArray>
    & Record<"out", FloatArray>,
  { N, C, V, first }: Record<"N" | "C" | "V" | "first", number>,
): void {
  for (let n = 0; n < N; n++) {
    const row = token[n] - first;
    if (row < 0 || row >= V) continue;
    const from = row * C, at = position[n] * C, to = n * C;
    for (let c = 0; c < C; c++) out[to + c] = wte[from + c] + wpe[at + c];
  }
}
