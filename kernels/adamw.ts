/** AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101, Algorithm 2), one step. @module */
import code from "./adamw.wgsl" with { type: "text" };
import type { Device, FloatArray, Tensor } from "./device.ts";
import { rowRanges, view } from "./tensor.ts";
import { packed } from "./fragments/pack.ts";

const MAX_GROUPS = 65535;

/**
 * Invocations of a workgroup and Packs of each, at least. A software adapter runs 8 invocations at once to
 * their end: its workgroup is these 8, so that the next memory it wants is what lies behind.
 */
const shareOf = ({ software }: Device): { workgroup: number; least: number } =>
  software ? { workgroup: 8, least: 64 } : { workgroup: 64, least: 4 };

/** The definition of a step. */
export function adamwTwin(
  { weight, grad, m, v, hyper, norm, correction }: Record<string, FloatArray>,
  { N, decay }: Record<string, number>,
): void {
  const [lr, beta1, beta2, eps, weightDecay] = hyper, [c1, c2] = correction;
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

function count({ taken, hyper, norm, correction }: Record<string, FloatArray>): void {
  if (norm[1] === 0) return;
  const t = ++taken[0], [, beta1, beta2] = hyper;
  correction[0] = 1 / (1 - beta1 ** t);
  correction[1] = 1 / (1 - beta2 ** t);
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
 * The 8 numbers of `hyper`: lr, beta1, beta2, eps, weightDecay, log(beta1), log(beta2), 0.
 * @throws {RangeError} when a beta is outside of [0, 1)
 */
export function hyperOf(
  { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0 }: AdamWOptions,
): number[] {
  for (const [name, beta] of Object.entries({ beta1, beta2 })) {
    if (!(beta >= 0 && beta < 1)) {
      throw new RangeError(`Cannot average moments as ${name} is in [0, 1): it is ${beta}`);
    }
  }
  // The kernel forms 1 - beta from the f32 beta (0.999 is off by 1.3e-8 there, which 1 - beta makes
  // 1e-5): the corrections take the same rounded beta, so that the two errors cancel.
  const [b1, b2] = [Math.fround(beta1), Math.fround(beta2)];
  const log = (beta: number) => Math.max(Math.log(beta), -1e4); // of 0 it is infinite; exp gives 0
  return [lr, b1, b2, eps, weightDecay, log(b1), log(b2), 0];
}

/** What a step has beside its tensors. */
export interface AdamWState {
  /** (8) from `hyperOf`. */
  hyper: Tensor;
  /** (2) from `globalNorm`. */
  norm: Tensor;
  /** (2) of the moments' bias, from `advanceAdamw`. */
  correction: Tensor;
}

/**
 * Enqueues the count of a step: `taken` u32 (1) goes up by one, and `correction` (2) becomes that of the
 * moments at the step; where norm[1] is 0 (a gradient was not finite) nothing happens. Once before the
 * launches of `adamw`.
 */
export function advanceAdamw(device: Device, x: AdamWState & { taken: Tensor }): void {
  device.launch({
    kernel: {
      label: "adamw.advance",
      entryPoint: "advance",
      twin: count,
      ...packed(code, 4).text, // reads no Pack
    },
    dims: { N: 1, run: 1, decay: 0 },
    bind: {
      hyper: [x.hyper, 8],
      norm: [x.norm, 2],
      taken: [x.taken, 1],
      correction: [x.correction, 2],
    },
    threads: 1,
  });
}

/**
 * Enqueues one step on `weight` (N) with its gradient `grad` (N) and moments `m` (N) and `v` (N), which
 * start as zeros. The gradient is scaled by norm[1] and zeroed; where norm[1] is 0 nothing else happens.
 * `decay` 1 applies weight decay, 0 does not (biases and layer norms). Tensors larger than one binding
 * take several launches.
 */
export function adamw(
  device: Device,
  x: Record<"weight" | "grad" | "m" | "v", Tensor> & AdamWState,
  { N, decay }: { N: number; decay: 0 | 1 },
): void {
  for (const [start, end] of rowRanges(device.limits, { R: N, C: 1 })) {
    const size = end - start;
    const part = (tensor: Tensor) =>
      [size === N ? tensor : view(tensor, start, size), size] as const;
    const { PACK, text } = packed(code, size), { workgroup, least } = shareOf(device);
    const run = Math.max(least, Math.ceil(size / PACK / workgroup / MAX_GROUPS));
    device.launch({
      kernel: { label: "adamw.step", entryPoint: "step", twin: adamwTwin, ...text, workgroup },
      dims: { N: size, run, decay },
      bind: {
        hyper: [x.hyper, 8],
        norm: [x.norm, 2],
        correction: [x.correction, 2],
        weight: part(x.weight),
        grad: part(x.grad),
        m: part(x.m),
        v: part(x.v),
      },
      groups: [Math.ceil(size / PACK / workgroup / run)],
    });
  }
}
