/**
 * One transformer block, forward: the pieces that training, prefill and decoding share.
 *
 *   norm1  = layernorm(x)                 qkv = norm1 Wqkv + b
 *   middle = x + attention(qkv) Wo + b
 *   norm2  = layernorm(middle)            pre = norm2 Wfc + b
 *   out    = middle + gelu(pre) Wproj + b
 *
 * N = B * T rows, C channels, H heads of size D, I inner width.
 * @module
 */
import { attention, type AttentionBuffers } from "../../kernels/attention.ts";
import type { Device, Tensor } from "../../kernels/device.ts";
import { layernorm } from "../../kernels/layernorm.ts";
import type { ModelDims } from "../config.ts";
import type { LinearModule } from "../families/families.ts";
import type { ParameterBuffers } from "../params.ts";
import type { Allocator } from "../workspace.ts";
import {
  type Linear,
  linear,
  type LinearAdapter,
  type LinearDims,
  type LinearGradient,
  linearScratch,
} from "./linear.ts";

/** Gain and offset of a layer norm, or their gradients: (C) each. */
export interface Norm {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** A block's parameters. */
export interface LayerTensors {
  readonly norm1: Norm;
  /** (C, 3C) queries, keys and values side by side. */
  readonly qkv: Linear;
  /** (C, C) attention's projection. */
  readonly out: Linear;
  readonly norm2: Norm;
  /** (C, I) into the MLP. */
  readonly fc: Linear;
  /** (I, C) out of it. */
  readonly proj: Linear;
}

/** The adapters of a block, or their gradients, by the linear layer that each adds to. */
export type LayerAdapters = {
  readonly [linear in LinearModule["linear"]]?: readonly LinearAdapter[];
};

/** The tensors of block `layer` in `weights`, the adapters on it, and transposed copies of weights. */
export function layerTensors(
  weights: ParameterBuffers,
  layer: number,
  adapters: LayerAdapters = {},
  copies?: { find(name: string): Tensor | undefined },
): LayerTensors {
  const at = (name: string): string => `h.${layer}.${name}`;
  const norm = (name: string): Norm => ({
    weight: weights.get(at(`${name}.weight`)),
    bias: weights.get(at(`${name}.bias`)),
  });
  const layerOf = (name: LinearModule["linear"]): Linear => {
    const bias = weights.find(at(`${name}.bias`)), transposed = copies?.find(at(`${name}.weight`));
    return {
      weight: weights.get(at(`${name}.weight`)),
      ...(bias && { bias }),
      ...(transposed && { transposed }),
      ...(adapters[name] && { adapters: adapters[name] }),
    };
  };
  return {
    norm1: norm("ln_1"),
    qkv: layerOf("attn.c_attn"),
    out: layerOf("attn.c_proj"),
    norm2: norm("ln_2"),
    fc: layerOf("mlp.c_fc"),
    proj: layerOf("mlp.c_proj"),
  };
}

/** Gradients of what is trained of a block. */
export type LayerGradients =
  & { readonly [norm in "norm1" | "norm2"]: Partial<Norm> }
  & { readonly [linear in "qkv" | "out" | "fc" | "proj"]: LinearGradient };

/** As `layerTensors`, of gradients: parameters that `gradients` lacks are not trained. */
export function layerGradients(
  gradients: ParameterBuffers,
  layer: number,
  adapters: LayerAdapters = {},
): LayerGradients {
  const part = (name: string): Partial<Norm> => ({
    weight: gradients.find(`h.${layer}.${name}.weight`),
    bias: gradients.find(`h.${layer}.${name}.bias`),
  });
  const layerOf = (name: LinearModule["linear"]): LinearGradient => ({
    ...part(name),
    adapters: adapters[name],
  });
  return {
    norm1: part("ln_1"),
    qkv: layerOf("attn.c_attn"),
    out: layerOf("attn.c_proj"),
    norm2: part("ln_2"),
    fc: layerOf("mlp.c_fc"),
    proj: layerOf("mlp.c_proj"),
  };
}

/** Sizes that a block needs. */
export type LayerDims = Pick<ModelDims, "C" | "H" | "D" | "I" | "eps"> & {
  /** Sequences. */
  readonly B: number;
  /** Tokens a sequence, padding included. */
  readonly T: number;
  /** Largest rank of an adapter; absent where there is none. */
  readonly rank?: number;
  /** "decode": the few rows of a decode step. */
  readonly role?: "decode";
};

/** Sizes of one block, and what its attention sees. */
export type BlockDims = LayerDims & Pick<ModelDims, "scale"> & {
  /** How many tokens a token attends at most, itself the last of them. */
  readonly window: number;
};

/** The sizes of block `layer`, for sequences of `dims`. */
export function blockDims(
  dims: LayerDims & Pick<ModelDims, "scale" | "windows">,
  layer: number,
): BlockDims {
  return { ...dims, window: dims.windows[layer] };
}

/** What a block computes on the way, all overwritten; backward reads every one of them. */
export interface LayerActivations {
  /** (N, C) */
  readonly norm1: Tensor;
  /** (N) mean and 1 / standard deviation of each row of x. */
  readonly mean1: Tensor;
  readonly rstd1: Tensor;
  /** (N, 3C) queries, keys and values side by side. */
  readonly qkv: Tensor;
  /** (N, C) attention's output before the projection. */
  readonly attended: Tensor;
  /** (B, H, T, 2) log of each query's softmax sum, in two parts. */
  readonly lse: Tensor;
  /** (N, C) residual stream between attention and MLP. */
  readonly middle: Tensor;
  /** (N, C) */
  readonly norm2: Tensor;
  /** (N) */
  readonly mean2: Tensor;
  readonly rstd2: Tensor;
  /** (N, I) before GELU. */
  readonly pre: Tensor;
  /** (N, I) after GELU. */
  readonly act: Tensor;
  /** (N, rank) scratch of adapters, the same in all layers: backward does not read it. */
  readonly hidden?: Tensor;
  /** Scratch of long products, the same in all layers. */
  readonly partial?: Tensor;
}

/** The linear layers of a block. */
export function linearSizes(
  { B, T, C, I, rank, role }: LayerDims,
): (LinearDims & { rank?: number })[] {
  const sizes = [[C, 3 * C], [C, C], [C, I], [I, C]];
  return sizes.map(([inFeatures, outFeatures]) => ({
    ...{ N: B * T, inFeatures, outFeatures, rank, role },
  }));
}

/** Takes a block's activations from `memory`, which frees them together; labels start with `label`. */
export function layerActivations(
  memory: Allocator,
  dims: LayerDims,
  label: string,
): LayerActivations {
  const { B, T, C, H, I, rank } = dims, N = B * T;
  const partial = Math.max(...linearSizes(dims).map((size) => linearScratch(memory.device, size)));
  const make = (name: string, length: number): Tensor =>
    memory.alloc(length, `${label} ${name}`, "f32", "activations");
  return {
    norm1: make("norm1", N * C),
    mean1: make("mean1", N),
    rstd1: make("rstd1", N),
    qkv: make("qkv", N * 3 * C),
    attended: make("attended", N * C),
    lse: make("lse", B * H * T * 2),
    middle: make("middle", N * C),
    norm2: make("norm2", N * C),
    mean2: make("mean2", N),
    rstd2: make("rstd2", N),
    pre: make("pre", N * I),
    act: make("act", N * I),
    ...(rank && { hidden: memory.alloc(N * rank, "adapter hidden", "f32", "activations") }),
    ...(partial && { partial: memory.alloc(partial, "parts of sums", "f32", "activations") }),
  };
}

/** Attention of one block: fills `attended` from `qkv`. Decoding puts its key-value cache here. */
export type Attend = (layer: Pick<LayerActivations, "qkv" | "attended" | "lse">) => void;

/** What the tokens of a batch attend: `end` and `position` of attention, u32 (B, T). */
export type Seen = Pick<AttentionBuffers, "end" | "position">;

/** Causal attention among the rows of a batch. */
export function attendWithin(device: Device, seen: Seen, dims: BlockDims): Attend {
  const { B, T, H, D, window, scale } = dims;
  return ({ qkv, attended, lse }) =>
    attention(device, { qkv, ...seen, out: attended, lse }, { B, T, H, D, window, scale });
}

/**
 * Enqueues one block: x (N, C) gives out (N, C), which must be another tensor. Without `out` it stops
 * at `act`: all that backward needs when activations are recomputed.
 */
export function layerForward(
  device: Device,
  tensors: { weights: LayerTensors; x: Tensor; activations: LayerActivations; out?: Tensor },
  { dims, attend }: { dims: LayerDims; attend: Attend },
): void {
  const { weights: w, x, activations: a, out } = tensors;
  const { B, T, C, I, eps, role } = dims;
  const N = B * T;
  const { hidden, partial } = a;
  layernorm(
    device,
    { x, ...w.norm1, out: a.norm1, mean: a.mean1, rstd: a.rstd1 },
    { N, C, eps },
  );
  linear(device, { x: a.norm1, layer: w.qkv, hidden, partial, out: a.qkv }, {
    ...{ N, role },
    inFeatures: C,
    outFeatures: 3 * C,
  });
  attend(a);
  linear(
    device,
    { x: a.attended, layer: w.out, hidden, partial, residual: x, out: a.middle },
    { N, inFeatures: C, outFeatures: C, role },
  );
  layernorm(
    device,
    { x: a.middle, ...w.norm2, out: a.norm2, mean: a.mean2, rstd: a.rstd2 },
    { N, C, eps },
  );
  linear(device, { x: a.norm2, layer: w.fc, hidden, partial, pre: a.pre, out: a.act }, {
    ...{ N, role },
    inFeatures: C,
    outFeatures: I,
  });
  if (!out) return;
  linear(device, { x: a.act, layer: w.proj, hidden, partial, residual: a.middle, out }, {
    ...{ N, role },
    inFeatures: I,
    outFeatures: C,
  });
}
