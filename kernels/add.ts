/** Sum of two arrays. Its gradient needs no kernel: both inputs get dout as it is. @module */
import code from "./add.wgsl" with { type: "text" };
import type { Device, FloatArray, Tensor } from "./device.ts";
import { launchElements } from "./fragments/pack.ts";

function forward({ a, b, out }: Record<string, FloatArray>, { N }: Record<string, number>): void {
  for (let i = 0; i < N; i++) out[i] = a[i] + b[i];
}

/** Enqueues out (N) = a (N) + b (N). `out` is a buffer of its own. */
export function add(
  device: Device,
  { a, b, out }: Record<"a" | "b" | "out", Tensor>,
  dims: { N: number },
): void {
  launchElements(device, { label: "add.forward", entryPoint: "forward", code, twin: forward }, {
    a,
    b,
    out,
  }, dims);
}
