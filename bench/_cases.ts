/** Every kernel as the benches run it: data, launches, outputs, and what the work amounts to. @module */
import { adamw, hyperOf } from "../kernels/adamw.ts";
import { attention, attentionBackward, type AttentionKernel } from "../kernels/attention.ts";
import { FORM_FEATURES } from "../kernels/attention_form.ts";
import { globalNorm, globalNormScratch } from "../kernels/global_norm.ts";
import { filled, type KernelCase, noise, zeros } from "./_case.ts";
import { encoderCases } from "./_encoder_cases.ts";
import { products } from "./_products.ts";
import type { Shape } from "./_shapes.ts";
import { rowCases } from "./_row_cases.ts";
import { vocabularyCases } from "./_vocabulary_cases.ts";
import { decodingCases } from "./_decoding_cases.ts";

/** All cases of a shape. Gradients that are added to are counted as read and written. */
export function kernelCases(shape: Shape): KernelCase[] {
  return [
    ...products(shape),
    ...attentionCases(shape),
    ...decodingCases(shape),
    ...rowCases(shape),
    ...vocabularyCases(shape),
    ...optimizerCases(shape),
    ...encoderCases(shape),
  ];
}

/** Attention forward and backward by each of `kernels`. */
export function attentionCases(
  { B, T, H, C }: Pick<Shape, "B" | "T" | "H" | "C">,
  kernels: readonly AttentionKernel[] = [{}, { naive: true }],
): KernelCase[] {
  const D = C / H, N = B * T, pairs = B * H * T * (T + 1) / 2;
  const size = `B ${B} T ${T} H ${H} D ${D}`;
  const input = () => ({
    qkv: noise(N * 3 * C),
    end: new Uint32Array(N).fill(T),
    position: Uint32Array.from({ length: N }, (_, n) => n % T),
    out: zeros(N * C),
    lse: filled(B * H * T * 2, 4), // where forward did not run: above every score
  });
  return kernels.flatMap((kernel): KernelCase[] => {
    const { naive = false, form } = kernel, feature = form && FORM_FEATURES[form];
    const suffix = naive ? ", naive" : form ? `, ${form}` : "";
    const only = { onlyWebgpu: suffix !== "", ...(feature && { feature }) };
    return [{
      name: `attention${suffix}`,
      size,
      flop: pairs * 4 * D, // q k' and p v
      bytes: 4 * (4 * N * C + B * H * T),
      data: input,
      outputs: ["out", "lse"],
      launch: (device, x) => attention(device, x, { B, T, H, D, ...kernel }),
      ...only,
    }, {
      name: `attention backward${suffix}`,
      size,
      flop: pairs * 14 * D, // scores and dout v' twice; dq, dk, dv
      bytes: 4 * (8 * N * C + 2 * B * H * T),
      data: () => ({
        ...input(),
        out: noise(N * C),
        dout: noise(N * C, 0.1),
        delta: zeros(B * H * T),
        dqkv: zeros(N * 3 * C),
      }),
      outputs: ["delta", "dqkv"],
      launch: (device, x) => attentionBackward(device, x, { B, T, H, D, ...kernel }),
      ...only,
    }];
  });
}

function optimizerCases({ parameters: N }: Shape): KernelCase[] {
  return [{
    name: "global_norm",
    size: `N ${N}`,
    flop: 0,
    bytes: 4 * N,
    data: () => ({
      grad: noise(N),
      scratch: zeros(globalNormScratch([{ length: N }])),
      norm: zeros(2),
    }),
    outputs: ["norm"],
    launch: (device, { grad, scratch, norm }) =>
      globalNorm(device, { grads: [grad], scratch, norm }, { maxNorm: 1 }),
  }, {
    name: "adamw",
    size: `N ${N}`,
    flop: 0,
    bytes: 4 * 8 * N, // weight, grad and both moments, in and out
    data: () => ({
      weight: noise(N),
      grad: noise(N),
      m: zeros(N),
      v: zeros(N),
      // Slow averages: moments that fade for hundreds of runs must not become denormal, which is slow.
      hyper: Float32Array.from(hyperOf({ lr: 1e-3, beta1: 0.999, weightDecay: 0.1 })),
      norm: Float32Array.of(1, 1),
      correction: Float32Array.of(1000, 1000),
    }),
    outputs: ["weight", "grad", "m", "v"],
    launch: (device, x) => adamw(device, x, { N, decay: 1 }),
  }];
}
