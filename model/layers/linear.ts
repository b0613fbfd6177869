/**
 * A linear layer on every row, y = x W + b, forward and backward. W is (inFeatures, outFeatures), as
 * GPT-2 stores it.
 *
 * Low-rank adapters (Hu et al. 2021, arXiv:2106.09685, section 4.1) add s (x A^T) B^T to columns
 * [at, at + width) of y. With B = 0 they add +0, which changes no bit of y but the sign of a zero.
 * @module
 */
import { columnSum, columnSumScratch } from "../../kernels/column_sum.ts";
import type { Device, Tensor } from "../../kernels/device.ts";
import { gelu } from "../../kernels/gelu.ts";
import { matmul } from "../../kernels/matmul.ts";
import type { ProductSize } from "../../kernels/matmul_choice.ts";
import { partialScratch } from "../../kernels/matmul_parts.ts";

/** A low-rank addition to a linear layer. */
export interface LinearAdapter {
  /** (rank, inFeatures) */
  readonly a: Tensor;
  /** (width, rank) */
  readonly b: Tensor;
  readonly rank: number;
  /** s: factor of the addition. */
  readonly scale: number;
  /** First column of y that it adds to, and how many. */
  readonly at: number;
  readonly width: number;
}

/** The parameters of a linear layer. */
export interface Linear {
  /** (inFeatures, outFeatures) */
  readonly weight: Tensor;
  /** (outFeatures); absent where the model has none. */
  readonly bias?: Tensor;
  /** (outFeatures, inFeatures) the same weight, which decoding takes where it is there. */
  readonly transposed?: Tensor;
  readonly adapters?: readonly LinearAdapter[];
}

/** Gradients of what is trained of a layer; adapters in the order of the layer's. */
export interface LinearGradient {
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  readonly adapters?: readonly Pick<LinearAdapter, "a" | "b">[];
}

/** Sizes of a linear layer of N rows. */
export interface LinearDims {
  readonly N: number;
  /** Width of x. */
  readonly inFeatures: number;
  /** Width of y. */
  readonly outFeatures: number;
  /** What the product is for, as `matmul` asks; forward only. */
  readonly role?: "decode";
}

type ScratchDims = LinearDims & { readonly rank?: number };

const longest = (device: Device, products: readonly ProductSize[]): number =>
  Math.max(...products.map((product) => partialScratch(device, product)));

/** Elements of scratch that `linear` asks for; 0 where no sum is long. `rank` of the largest adapter. */
export function linearScratch(
  device: Device,
  { N: M, inFeatures: K, outFeatures, rank = 0, role }: ScratchDims,
): number {
  if (role) return 0;
  return longest(device, [
    { orientation: "NN", M, N: outFeatures, K },
    ...(rank ? [{ orientation: "NT", M, N: rank, K } as const] : []),
  ]);
}

/** As `linearScratch`, of `linearBackward`, which needs some always. */
export function linearBackwardScratch(device: Device, dims: ScratchDims): number {
  const { N: K, inFeatures, outFeatures, rank = 0 } = dims;
  const weight = (M: number, N: number): ProductSize => ({ orientation: "TN", M, N, K });
  const adapters = rank
    ? [weight(outFeatures, rank), weight(rank, inFeatures), {
      ...{ orientation: "NN", M: K, N: rank, K: outFeatures } as const,
    }]
    : [];
  return Math.max(
    columnSumScratch({ N: K, C: outFeatures }),
    linearScratch(device, dims),
    longest(device, [
      { orientation: "NT", M: K, N: inFeatures, K: outFeatures },
      ...[weight(inFeatures, outFeatures), ...adapters],
    ]),
  );
}

/**
 * Enqueues out (N, outFeatures) = x (N, inFeatures) W + b. With `residual`, of out's shape, that is added;
 * with `pre`, of out's shape, it receives y, and out becomes GELU(y). Both need a bias. A layer with
 * adapters needs `hidden`, scratch of (N, rank); with `partial`, of `linearScratch` elements, long sums are
 * taken in parts.
 */
export function linear(
  device: Device,
  { x, layer, out, hidden, partial, residual, pre }: {
    x: Tensor;
    layer: Linear;
    out: Tensor;
    hidden?: Tensor;
    partial?: Tensor;
    residual?: Tensor;
    pre?: Tensor;
  },
  { N, inFeatures, outFeatures, role }: LinearDims,
): void {
  const { weight, bias, adapters = [] } = layer;
  const transposed = role === "decode" ? layer.transposed : undefined;
  const fused = pre && adapters.length === 0; // else GELU waits for the low-rank updates of y
  const y = pre && !fused ? pre : out;
  matmul(
    device,
    {
      a: x,
      b: transposed ?? weight,
      out: y,
      partial,
      ...(bias && { bias }),
      ...(residual && { residual }),
      ...(fused && { pre }),
    },
    {
      M: N,
      N: outFeatures,
      K: inFeatures,
      orientation: transposed ? "NT" : "NN",
      role,
      ...(fused && { activation: "gelu" }),
    },
  );
  for (const { a, b, rank, scale, at, width } of adapters) {
    project(device, { x, a, hidden: hidden!, partial }, { N, inFeatures, rank, role });
    matmul(device, { a: hidden!, b, out: y }, {
      ...{ M: N, N: width, K: rank, ldOut: outFeatures, atOut: at, scale, role },
      orientation: "NT",
      accumulate: true,
    });
  }
  if (pre && !fused) gelu(device, { x: pre, out }, { N: N * outFeatures });
}

/** hidden (N, rank) = x (N, inFeatures) A^T */
function project(
  device: Device,
  { x, a, hidden, partial }: Record<"x" | "a" | "hidden", Tensor> & { partial?: Tensor },
  { N, inFeatures, rank, role }: Omit<LinearDims, "outFeatures"> & { rank: number },
): void {
  const dims = { M: N, N: rank, K: inFeatures, role };
  matmul(device, { a: x, b: a, out: hidden, partial }, { ...dims, orientation: "NT" });
}

/** What `linearBackward` works on. */
export interface LinearBackward {
  readonly x: Tensor;
  readonly layer: Linear;
  /** Added to. */
  readonly gradient: LinearGradient;
  readonly dout: Tensor;
  /** Overwritten. */
  readonly dx: Tensor;
  /** Where x was GELU(pre): dx is then the gradient of `pre`. */
  readonly pre?: Tensor;
  /** The weight's gradient is zero and is overwritten: adding would read it as well. Default false. */
  readonly fresh?: boolean;
  /** Scratch of `linearBackwardScratch` elements. */
  readonly partial: Tensor;
  /** (N, rank) scratch of a layer with adapters. */
  readonly hidden?: Tensor;
  readonly dhidden?: Tensor;
}

/**
 * Enqueues the backward pass: dout (N, outFeatures) gives dx (N, inFeatures), and what is trained its
 * gradient.
 */
export function linearBackward(device: Device, t: LinearBackward, dims: LinearDims): void {
  const { x, layer: { weight, adapters = [] }, gradient, dout, dx, pre, fresh, partial } = t;
  const { N, inFeatures, outFeatures } = dims;
  const slope = pre && adapters.length === 0; // else it waits for the low-rank updates of dx
  matmul(
    device,
    { a: dout, b: weight, out: dx, partial, ...(slope && { pre }) },
    {
      M: N,
      N: inFeatures,
      K: outFeatures,
      orientation: "NT",
      ...(slope && { activation: "dgelu" }),
    },
  );
  adapters.forEach((_, i) => adapterBackward(device, t, { ...dims, i }));
  if (gradient.weight) {
    matmul(
      device,
      { a: x, b: dout, out: gradient.weight, partial },
      { M: inFeatures, N: outFeatures, K: N, orientation: "TN", accumulate: !fresh },
    );
  }
  if (gradient.bias) {
    columnSum(device, { x: dout, out: gradient.bias, scratch: partial }, { N, C: outFeatures });
  }
}

/**
 * The part of adapter `i`: with h = x A^T, which is cheaper to compute again than to keep,
 * dh = s dy B, dB += s dy^T h, dA += dh^T x, dx += dh A; the last of them brings in GELU'(pre).
 */
function adapterBackward(
  device: Device,
  { x, layer, gradient, dout, dx, pre, partial, hidden, dhidden }: LinearBackward,
  { N, inFeatures, outFeatures, i }: LinearDims & { i: number },
): void {
  const { a, b, rank, scale, at, width } = layer.adapters![i];
  const [h, dh, part] = [hidden!, dhidden!, { ldA: outFeatures, atA: at, scale }];
  matmul(device, { a: dout, b, out: dh, partial }, {
    ...{ M: N, N: rank, K: width, ...part },
    orientation: "NN",
  });
  const trained = gradient.adapters?.[i];
  if (trained) {
    project(device, { x, a, hidden: h, partial }, { N, inFeatures, rank });
    matmul(device, { a: dout, b: h, out: trained.b, partial }, {
      ...{ M: width, N: rank, K: N, ...part },
      orientation: "TN",
      accumulate: true,
    });
    matmul(device, { a: dh, b: x, out: trained.a, partial }, {
      ...{ M: rank, N: inFeatures, K: N },
      orientation: "TN",
      accumulate: true,
    });
  }
  const slope = pre && i === layer.adapters!.length - 1;
  matmul(device, { a: dh, b: a, out: dx, ...(slope && { pre }) }, {
    ...{ M: N, N: inFeatures, K: rank },
    orientation: "NN",
    accumulate: true,
    ...(slope && { activation: "dgelu" }),
  });
}
