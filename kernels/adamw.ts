/** AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101, Algorithm 2), one step. @module */
import code from "./adamw.wgsl" with { type: "text" };
import type { Device, FloatArray, Tensor } from "./device.ts";
import { rowRanges, view } from "./tensor.ts";
import { packed } from "./fragments/pack.ts";

function step(
  { weight, grad, m, v, hyper, norm }: Record<string, FloatArray>,
  { N, decay }: Record<string, number>,
): void {
  const [lr, beta1, beta2, eps, weightDecay, c1, c2] = hyper;
  const factor = norm[1], fade = lr * weightDecay * decay;
  for (let i = 0; i < N && factor !== 0; i++) {
    const g = grad[i] * factor;
    const mean = beta1 * m[i] + (1 - beta1) * g;
    const square = beta2 * v[i] + (1 - beta2) * g * g;
    weight[i] = weight[i] - fade * weight[i] - lr * mean * c1 / (Math.sqrt(square * c2) + eps);
    m[i] = mean;
    v[i] = square;
  }
  grad.fill(0, 0, N);
}

/** What the steps of one training have in common, but for `lr`, which a schedule may change. */
export interface AdamWOptions {
  /** Learning rate, above 0; 1e-5 to 1e-3 is usual. */
  lr: number;
  /** Decay of the first moment, in [0, 1). Default 0.9. */
  beta1?: number;
  /** Decay of the second moment, in [0, 1). Default 0.999. */
  beta2?: number;
  /** Added to the root of the second moment, above 0. Default 1e-8. */
  eps?: number;
  /** Fraction of the weight, times `lr`, that a step subtracts. Default 0. */
  weightDecay?: number;
}

/**
 * The 8 numbers of `hyper` for step `t`, counted from 1:
 * lr, beta1, beta2, eps, weightDecay, 1/(1 - beta1^t), 1/(1 - beta2^t), 0.
 * @throws {RangeError} when t is not an integer from 1 on, or a beta is outside of [0, 1)
 */
export function hyperOf(
  { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0 }: AdamWOptions,
  t: number,
): number[] {
  if (!Number.isSafeInteger(t) || t < 1) {
    throw new RangeError(`Cannot correct the moments' bias as steps count from 1: t is ${t}`);
  }
  for (const [name, beta] of Object.entries({ beta1, beta2 })) {
    if (!(beta >= 0 && beta < 1)) {
      throw new RangeError(`Cannot average moments as ${name} is in [0, 1): it is ${beta}`);
    }
  }
  // The kernel forms 1 - beta from the f32 beta (0.999 is off by 1.3e-8 there, which 1 - beta makes
  // 1e-5): the corrections take the same rounded beta, so that the two errors cancel.
  const [b1, b2] = [Math.fround(beta1), Math.fround(beta2)];
  return [lr, b1, b2, eps, weightDecay, 1 / (1 - b1 ** t), 1 / (1 - b2 ** t), 0];
}

/**
 * Enqueues one step on `weight` (N) with its gradient `grad` (N) and moments `m` (N) and `v` (N), which
 * start as zeros. `hyper` (8) comes from `hyperOf`, `norm` (2) from `globalNorm`: the gradient is
 * scaled by norm[1] and zeroed; where norm[1] is 0 (a gradient was not finite) nothing else happens.
 * `decay` 1 applies weight decay, 0 does not (biases and layer norms). Tensors larger than one binding
 * take several launches.
 */
export function adamw(
  device: Device,
  x: Record<"weight" | "grad" | "m" | "v" | "hyper" | "norm", Tensor>,
  { N, decay }: { N: number; decay: 0 | 1 },
): void {
  for (const [start, end] of rowRanges(device.limits, { R: N, C: 1 })) {
    const size = end - start;
    const part = (tensor: Tensor) =>
      [size === N ? tensor : view(tensor, start, size), size] as const;
    const { PACK, text } = packed(code, size);
    device.launch({
      kernel: { label: "adamw.step", entryPoint: "step", twin: step, ...text },
      dims: { N: size, decay },
      bind: {
        hyper: [x.hyper, 8],
        norm: [x.norm, 2],
        weight: part(x.weight),
        grad: part(x.grad),
        m: part(x.m),
        v: part(x.v),
      },
      threads: size / PACK,
    });
  }
}
