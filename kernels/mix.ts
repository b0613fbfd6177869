/** A weighted sum in place: with weights of 1 an addition, with alpha and 1 - alpha a moving average. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import { launchElements } from "./fragments/pack.ts";
import code from "./mix.wgsl" with { type: "text" };

function forward(
  { x, out }: Record<string, FloatArray>,
  { N, alpha, beta }: Record<string, number>,
): void {
  for (let i = 0; i < N; i++) out[i] = alpha * x[i] + (beta === 0 ? 0 : beta * out[i]);
}

/** Enqueues out (N) = alpha x (N) + beta out (N). Where `beta` is 0, `out` is not read. */
export function mix(
  device: Device,
  { x, out }: Record<"x" | "out", Tensor>,
  dims: { N: number; alpha: number; beta: number },
): void {
  const kernel = { label: "mix.forward", entryPoint: "forward", code, twin: forward };
  launchElements(device, kernel, { x, out }, dims);
}
