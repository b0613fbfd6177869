/** GELU in its tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415), forward and backward. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import code from "./gelu.wgsl" with { type: "text" };
import { packing } from "./pack.ts";

const ROOT = Math.sqrt(2 / Math.PI);
const CUBE = 0.044715;

function forward({ x, out }: Record<string, FloatArray>, { N }: Record<string, number>): void {
  for (let i = 0; i < N; i++) {
    const z = x[i];
    out[i] = 0.5 * z * (1 + Math.tanh(ROOT * (z + CUBE * z * z * z)));
  }
}

function backward(
  { x, dout, dx }: Record<string, FloatArray>,
  { N }: Record<string, number>,
): void {
  for (let i = 0; i < N; i++) {
    const z = x[i];
    const t = Math.tanh(ROOT * (z + CUBE * z * z * z));
    const du = ROOT * (1 + 3 * CUBE * z * z);
    dx[i] = dout[i] * (0.5 * (1 + t) + 0.5 * z * (1 - t * t) * du);
  }
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
