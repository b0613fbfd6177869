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
import { attention } from "../../kernels/attention.ts";
import type { Device, Tensor } from "../../kernels/device.ts";
import { layernorm } from "../../kernels/layernorm.ts";
import { matmul } from "../../kernels/matmul.ts";
import type { ModelDims } from "../config.ts";
import type { Store } from "../params.ts";
import type { Allocator } from "../workspace.ts";

/** Names of a block's parameters, by the names they have below. */
const NAMES = {
  norm1Weight: "ln_1.weight", //      (C)
  norm1Bias: "ln_1.bias", //          (C)
  qkvWeight: "attn.c_attn.weight", // (C, 3C)
  qkvBias: "attn.c_attn.bias", //     (3C)
  outWeight: "attn.c_proj.weight", // (C, C)
  outBias: "attn.c_proj.bias", //     (C)
  norm2Weight: "ln_2.weight", //      (C)
  norm2Bias: "ln_2.bias", //          (C)
  fcWeight: "mlp.c_fc.weight", //     (C, I)
  fcBias: "mlp.c_fc.bias", //         (I)
  projWeight: "mlp.c_proj.weight", // (I, C)
  projBias: "mlp.c_proj.bias", //     (C)
} as const;

/** A block's parameters, or their gradients. */
export type LayerTensors = Readonly<Record<keyof typeof NAMES, Tensor>>;

/** The tensors of block `layer` in `store` (weights, or gradients). */
export function layerTensors(store: Store, layer: number): LayerTensors {
  const entries = Object.entries(NAMES).map(([key, name]) => [
    key,
    store.get(`h.${layer}.${name}`),
  ]);
  return Object.fromEntries(entries) as LayerTensors;
}

/** Sizes that a block needs. */
export type LayerDims = Pick<ModelDims, "C" | "H" | "D" | "I" | "eps"> & {
  /** Sequences. */
  readonly B: number;
  /** Tokens a sequence, padding included. */
  readonly T: number;
};

/** What a block computes on the way, all overwritten; backward reads every one of them. */
export interface LayerActivations {
  /** (N, C) */
  readonly norm1: Tensor;
  /** (N) mean and 1 / deviation of each row of x. */
  readonly mean1: Tensor;
  readonly rstd1: Tensor;
  /** (N, 3C) queries, keys and values side by side. */
  readonly qkv: Tensor;
  /** (N, C) attention's output before the projection. */
  readonly attended: Tensor;
  /** (B, H, T) log of each query's softmax sum. */
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
}

/** Takes a block's activations from `memory`, which frees them together; labels start with `label`. */
export function layerActivations(
  memory: Allocator,
  { B, T, C, H, I }: LayerDims,
  label: string,
): LayerActivations {
  const N = B * T;
  const make = (name: string, length: number): Tensor => memory.alloc(length, `${label} ${name}`);
  return {
    norm1: make("norm1", N * C),
    mean1: make("mean1", N),
    rstd1: make("rstd1", N),
    qkv: make("qkv", N * 3 * C),
    attended: make("attended", N * C),
    lse: make("lse", B * H * T),
    middle: make("middle", N * C),
    norm2: make("norm2", N * C),
    mean2: make("mean2", N),
    rstd2: make("rstd2", N),
    pre: make("pre", N * I),
    act: make("act", N * I),
  };
}

/** Attention of one block: fills `attended` from `qkv`. Decoding puts its key-value cache here. */
export type Attend = (layer: Pick<LayerActivations, "qkv" | "attended" | "lse">) => void;

/** Causal attention among the rows of a ragged batch; `length` (B) u32 counts the real tokens. */
export function attendWithin(device: Device, length: Tensor, { B, T, H, D }: LayerDims): Attend {
  return ({ qkv, attended, lse }) =>
    attention(device, { qkv, length, out: attended, lse }, { B, T, H, D });
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
  const { B, T, C, I, eps } = dims;
  const N = B * T;
  const forward = { orientation: "NN" } as const;
  layernorm(
    device,
    { x, weight: w.norm1Weight, bias: w.norm1Bias, out: a.norm1, mean: a.mean1, rstd: a.rstd1 },
    { N, C, eps },
  );
  matmul(
    device,
    { a: a.norm1, b: w.qkvWeight, bias: w.qkvBias, out: a.qkv },
    { M: N, N: 3 * C, K: C, ...forward },
  );
  attend(a);
  matmul(
    device,
    { a: a.attended, b: w.outWeight, bias: w.outBias, residual: x, out: a.middle },
    { M: N, N: C, K: C, ...forward },
  );
  layernorm(
    device,
    {
      x: a.middle,
      weight: w.norm2Weight,
      bias: w.norm2Bias,
      out: a.norm2,
      mean: a.mean2,
      rstd: a.rstd2,
    },
    { N, C, eps },
  );
  matmul(
    device,
    { a: a.norm2, b: w.fcWeight, bias: w.fcBias, pre: a.pre, out: a.act },
    { M: N, N: I, K: C, activation: "gelu", ...forward },
  );
  if (!out) return;
  matmul(
    device,
    { a: a.act, b: w.projWeight, bias: w.projBias, residual: a.middle, out },
    { M: N, N: C, K: I, ...forward },
  );
}
