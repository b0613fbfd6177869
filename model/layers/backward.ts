/**
 * One transformer block, backward. The gradient of the residual stream is a single (N, C) tensor:
 * it comes in as the gradient of the block's output, every branch adds its part, and it leaves as the
 * gradient of the block's input.
 * @module
 */
import { attentionBackward } from "../../kernels/attention.ts";
import type { Device, Tensor } from "../../kernels/device.ts";
import { view } from "../../kernels/tensor.ts";
import { layernormBackward, layernormScratch } from "../../kernels/layernorm.ts";
import type { Allocator } from "../workspace.ts";
import {
  type BlockDims,
  type LayerActivations,
  type LayerDims,
  type LayerGradients,
  type LayerTensors,
  linearSizes,
  type Seen,
} from "./forward.ts";
import { linearBackward, linearBackwardScratch } from "./linear.ts";

/** Scratch that the blocks of one backward pass share; all of it is overwritten. */
export interface BackwardScratch {
  /** (N, max(I, 3C)) gradient of `pre`, then of `qkv`. */
  readonly wide: Tensor;
  /** (N, C) gradient of a norm's output, or of `attended`. */
  readonly narrow: Tensor;
  /** (B, H, T) attention's row sums. */
  readonly delta: Tensor;
  /** Partial sums of columns, of layer norms and of long products. */
  readonly partial: Tensor;
  /** (N, rank) of adapters: x A^T, and its gradient. */
  readonly hidden?: Tensor;
  readonly dhidden?: Tensor;
}

/** Takes the scratch from `memory`. */
export function backwardScratch(memory: Allocator, dims: LayerDims): BackwardScratch {
  const { B, T, C, H, I, rank } = dims;
  const N = B * T;
  const partial = Math.max(
    layernormScratch({ N, C }),
    ...linearSizes(dims).map((size) => linearBackwardScratch(memory.device, size)),
  );
  return {
    wide: memory.alloc(N * Math.max(I, 3 * C), "dwide", "f32", "activations"),
    narrow: memory.alloc(N * C, "dnarrow", "f32", "activations"),
    delta: memory.alloc(B * H * T, "delta", "f32", "activations"),
    partial: memory.alloc(partial, "partial sums", "f32", "activations"),
    ...(rank && {
      hidden: memory.alloc(N * rank, "adapter hidden", "f32", "activations"),
      dhidden: memory.alloc(N * rank, "adapter dhidden", "f32", "activations"),
    }),
  };
}

/** What the backward pass of a block works on. */
export interface BackwardTensors {
  weights: LayerTensors;
  gradients: LayerGradients;
  x: Tensor;
  activations: LayerActivations;
  seen: Seen;
  dx: Tensor;
  scratch: BackwardScratch;
  /** All gradients are zero: those of matrices are overwritten. Default false. */
  fresh?: boolean;
}

/**
 * Enqueues the backward pass of one block. `dx` (N, C) holds the gradient of the output and becomes
 * that of the input; `gradients` are added to, where they are there. Padded rows must hold zero in
 * `dx`, and do so afterwards.
 */
export function layerBackward(device: Device, tensors: BackwardTensors, dims: BlockDims): void {
  mlpBackward(device, tensors, dims);
  attendBackward(device, tensors, dims);
}

/** Of out = middle + gelu(norm2 Wfc + b) Wproj + b. */
function mlpBackward(
  device: Device,
  { weights: w, gradients: g, activations: a, dx, scratch, fresh }: BackwardTensors,
  { B, T, C, I }: BlockDims,
): void {
  const N = B * T;
  const { narrow, partial, hidden, dhidden } = scratch;
  const work = { partial, hidden, dhidden, fresh };
  const dpre = view(scratch.wide, 0, N * I, "dpre");
  linearBackward(
    device,
    { x: a.act, layer: w.proj, gradient: g.proj, dout: dx, dx: dpre, pre: a.pre, ...work },
    { N, inFeatures: I, outFeatures: C },
  );
  linearBackward(
    device,
    { x: a.norm2, layer: w.fc, gradient: g.fc, dout: dpre, dx: narrow, ...work },
    { N, inFeatures: C, outFeatures: I },
  );
  layernormBackward(device, {
    x: a.middle,
    weight: w.norm2.weight,
    mean: a.mean2,
    rstd: a.rstd2,
    dout: narrow,
    dx,
    dweight: g.norm2.weight,
    dbias: g.norm2.bias,
    scratch: partial,
  }, { N, C });
}

/** Of middle = x + attention(norm1 Wqkv + b) Wo + b. */
function attendBackward(
  device: Device,
  { weights: w, gradients: g, x, activations: a, seen, dx, scratch, fresh }: BackwardTensors,
  { B, T, C, H, D, window, scale }: BlockDims,
): void {
  const N = B * T;
  const { narrow, delta, partial, hidden, dhidden } = scratch;
  const work = { partial, hidden, dhidden, fresh };
  const dqkv = view(scratch.wide, 0, N * 3 * C, "dqkv");
  linearBackward(
    device,
    { x: a.attended, layer: w.out, gradient: g.out, dout: dx, dx: narrow, ...work },
    { N, inFeatures: C, outFeatures: C },
  );
  attentionBackward(
    device,
    { qkv: a.qkv, ...seen, out: a.attended, lse: a.lse, dout: narrow, delta, dqkv },
    { B, T, H, D, window, scale },
  );
  linearBackward(
    device,
    { x: a.norm1, layer: w.qkv, gradient: g.qkv, dout: dqkv, dx: narrow, ...work },
    { N, inFeatures: C, outFeatures: 3 * C },
  );
  layernormBackward(device, {
    x,
    weight: w.norm1.weight,
    mean: a.mean1,
    rstd: a.rstd1,
    dout: narrow,
    dx,
    dweight: g.norm1.weight,
    dbias: g.norm1.bias,
    scratch: partial,
  }, { N, C });
}
