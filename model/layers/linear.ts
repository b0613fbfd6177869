/**
 * A linear map of every row, y = x W + b, forward and backward. W is (from, to), as GPT-2 stores it.
 * @module
 */
import { columnSum } from "../../kernels/column_sum.ts";
import type { Device, Tensor } from "../../kernels/device.ts";
import { matmul } from "../../kernels/matmul.ts";

/** The parameters of a linear map, or their gradients. */
export interface Linear {
  /** (from, to) */
  readonly weight: Tensor;
  /** (to); absent where the model has none. */
  readonly bias?: Tensor;
}

/** Sizes of a linear map of N rows. */
export interface LinearDims {
  readonly N: number;
  /** Width of x. */
  readonly from: number;
  /** Width of y. */
  readonly to: number;
}

/**
 * Enqueues out (N, to) = x (N, from) W + b. With `residual` (N, to) that is added; with `pre` (N, to)
 * it receives y, and out becomes GELU(y). Both need a bias.
 */
export function linear(
  device: Device,
  { x, map, ...rest }: { x: Tensor; map: Linear; out: Tensor; residual?: Tensor; pre?: Tensor },
  { N, from, to }: LinearDims,
): void {
  matmul(
    device,
    { a: x, b: map.weight, ...(map.bias && { bias: map.bias }), ...rest },
    { M: N, N: to, K: from, orientation: "NN", ...(rest.pre && { activation: "gelu" }) },
  );
}

/**
 * Enqueues the backward pass: dout (N, to) gives dx (N, from), overwritten, and is added to `gradient`.
 * With `pre`, x was GELU(pre) and dx is the gradient of `pre`. `partial` is work space for
 * `columnSumScratch` elements of either width.
 */
export function linearBackward(
  device: Device,
  { x, map, gradient, dout, dx, pre, partial }: {
    x: Tensor;
    map: Linear;
    gradient: Linear;
    dout: Tensor;
    dx: Tensor;
    pre?: Tensor;
    partial: Tensor;
  },
  { N, from, to }: LinearDims,
): void {
  matmul(
    device,
    { a: dout, b: map.weight, out: dx, ...(pre && { pre }) },
    { M: N, N: from, K: to, orientation: "NT", ...(pre && { activation: "dgelu" }) },
  );
  matmul(
    device,
    { a: x, b: dout, out: gradient.weight },
    { M: from, N: to, K: N, orientation: "TN", accumulate: true },
  );
  if (gradient.bias) {
    columnSum(device, { x: dout, out: gradient.bias, scratch: partial }, { N, C: to });
  }
}
