/** Rectifier (Nair and Hinton 2010), as classifier heads have it. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import { launchElements } from "./fragments/pack.ts";
import code from "./relu.wgsl" with { type: "text" };

function forward({ x, out }: Record<string, FloatArray>, { N }: Record<string, number>): void {
  for (let i = 0; i < N; i++) out[i] = x[i] > 0 ? x[i] : 0;
}

/** Enqueues out (N) = max(x (N), 0). */
export function relu(
  device: Device,
  { x, out }: Record<"x" | "out", Tensor>,
  dims: { N: number },
): void {
  launchElements(device, { label: "relu.forward", entryPoint: "forward", code, twin: forward }, {
    x,
    out,
  }, dims);
}
