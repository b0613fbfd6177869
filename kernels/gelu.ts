/** GELU in its tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415), forward and backward. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import code from "./gelu.wgsl" with { type: "text" };
import { geluOf, geluSlope } from "./gelu_cpu.ts";
import { packing } from "./pack.ts";

function forward({ x, out }: Record<string, FloatArray>, { N }: Record<string, number>): void {
  for (let i = 0; i < N; i++) out[i] = geluOf(x[i]);
}

function backward(
  { x, dout, dx }: Record<string, FloatArray>,
  { N }: Record<string, number>,
): void {
  for (let i = 0; i < N; i++) dx[i] = dout[i] * geluSlope(x[i]);
}

/** Enqueues out (N) = gelu(x (N)). */
export function gelu(
  device: Device,
  { x, out }: Record<"x" | "out", Tensor>,
  { N }: { N: number },
): void {
  const wide = packing(code, N);
  device.launch({
    kernel: { label: "gelu.forward", twin: forward, ...wide },
    dims: { N },
    bind: { x: [x, N], out: [out, N] },
    threads: N / wide.constants.PACK,
  });
}

/** Enqueues dx (N) = dout (N) * gelu'(x (N)); `x` is what went into the forward pass. */
export function geluBackward(
  device: Device,
  { x, dout, dx }: Record<"x" | "dout" | "dx", Tensor>,
  { N }: { N: number },
): void {
  const wide = packing(code, N);
  device.launch({
    kernel: { label: "gelu.backward", twin: backward, ...wide },
    dims: { N },
    bind: { x: [x, N], dout: [dout, N], dx: [dx, N] },
    threads: N / wide.constants.PACK,
  });
}
