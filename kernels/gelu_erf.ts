/** GELU in its exact form (Hendrycks and Gimpel 2016, arXiv:1606.08415), as BERT has it. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import code from "./gelu_erf.wgsl" with { type: "text" };
import { launchElements } from "./fragments/pack.ts";

/**
 * erf(z) in double precision, by the series of Abramowitz and Stegun 1964, formula 7.1.6: all of its
 * terms have one sign, so that nothing cancels.
 */
export function erf(z: number): number {
  if (z * z > 36) return Math.sign(z); // 1 - erf(6) is 2e-17
  let term = z, sum = z;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= 2 * z * z / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-z * z) * sum;
}

/** The definition of `geluErf`. */
export function geluErfTwin(
  { x, out }: Record<string, FloatArray>,
  { N }: Record<string, number>,
): void {
  for (let i = 0; i < N; i++) out[i] = 0.5 * x[i] * (1 + erf(x[i] * Math.SQRT1_2));
}

/** Enqueues out (N) = x/2 (1 + erf(x / sqrt 2)), element by element. */
export function geluErf(
  device: Device,
  { x, out }: Record<"x" | "out", Tensor>,
  dims: { N: number },
): void {
  launchElements(
    device,
    { label: "gelu_erf.forward", entryPoint: "forward", code, twin: geluErfTwin },
    { x, out },
    dims,
  );
}
