/** Rectifier (Nair and Hinton 2010), as classifier heads have it. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import { packing } from "./pack.ts";
import code from "./relu.wgsl" with { type: "text" };

function forward({ x, out }: Record<string, FloatArray>, { N }: Record<string, number>): void {
  for (let i = 0; i < N; i++) out[i] = x[i] > 0 ? x[i] : 0;
}

/** Enqueues out (N) = max(x (N), 0). */
export function relu(
  device: Device,
  { x, out }: Record<"x" | "out", Tensor>,
  { N }: { N: number },
): void {
  const wide = packing(code, N);
  device.launch({
    kernel: { label: "relu.forward", twin: forward, ...wide },
    dims: { N },
    bind: { x: [x, N], out: [out, N] },
    threads: N / wide.constants.PACK,
  });
}
