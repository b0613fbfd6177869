/** GELU in its tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415); products have it as an epilogue. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import definition from "./fragments/gelu_epilogue.wgsl" with { type: "text" };
import { launchElements } from "./fragments/pack.ts";
import elements from "./gelu.wgsl" with { type: "text" };
import { geluOf } from "./gelu_cpu.ts";

const code = `${definition}\n${elements}`;

function forward({ x, out }: Record<string, FloatArray>, { N }: Record<string, number>): void {
  for (let i = 0; i < N; i++) out[i] = geluOf(x[i]);
}

/** Enqueues out (N) = gelu(x (N)). */
export function gelu(
  device: Device,
  { x, out }: Record<"x" | "out", Tensor>,
  dims: { N: number },
): void {
  launchElements(device, { label: "gelu.forward", entryPoint: "forward", code, twin: forward }, {
    x,
    out,
  }, dims);
}
