/** The kernels that only encoders use, as the benches run them. @module */
import { attendAll } from "../kernels/attend_all.ts";
import { geluErf } from "../kernels/gelu_erf.ts";
import { meanRows } from "../kernels/mean_rows.ts";
import { relu } from "../kernels/relu.ts";
import { type KernelCase, noise } from "./_case.ts";
import type { Shape } from "./_shapes.ts";

/** Attention both ways, exact GELU, mean of rows and the classifier's ReLU. */
export function encoderCases({ B, T, C, H, I }: Shape): KernelCase[] {
  const D = C / H, N = B * T, wide = N * I;
  const length = () => new Uint32Array(B).fill(T);
  return [{
    name: "attend_all",
    size: `B ${B} T ${T} H ${H} D ${D}`,
    flop: B * H * T * T * 4 * D, // q k' and p v
    bytes: 4 * 4 * N * C,
    data: () => ({
      qkv: noise(N * 3 * C),
      length: length(),
      out: new Float32Array(N * C),
    }),
    outputs: ["out"],
    launch: (device, x) => attendAll(device, x, { B, T, H, D }),
  }, {
    name: "gelu_erf",
    size: `N ${wide}`,
    flop: 0,
    bytes: 4 * 2 * wide,
    data: () => ({ x: noise(wide, 3), out: new Float32Array(wide) }),
    outputs: ["out"],
    launch: (device, x) => geluErf(device, x, { N: wide }),
  }, {
    name: "mean_rows",
    size: `B ${B} T ${T} C ${C}`,
    flop: 0,
    bytes: 4 * (N + B) * C,
    data: () => ({ x: noise(N * C), length: length(), out: new Float32Array(B * C) }),
    outputs: ["out"],
    launch: (device, x) => meanRows(device, x, { B, T, C }),
  }, {
    name: "relu",
    size: `N ${B * C}`,
    flop: 0,
    bytes: 4 * 2 * B * C,
    data: () => ({ x: noise(B * C), out: new Float32Array(B * C) }),
    outputs: ["out"],
    launch: (device, x) => relu(device, x, { N: B * C }),
  }];
}
