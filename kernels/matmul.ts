/** Matrix product with epilogues: which kernel runs, and on which rows. @module */
import { bytesOf, rowRanges, view } from "./tensor.ts";
import type { Device, Tensor } from "./device.ts";
import type { MatmulVariant } from "./matmul_kernels.ts";
import type { Epilogue, Orientation } from "./matmul_twin.ts";
import { partOf, productKernel } from "./matmul_choice.ts";
import { epilogueOf } from "./matmul_epilogue.ts";
import { launchParts } from "./matmul_parts.ts";
import { fewRows, takesFewRows } from "./few_rows.ts";
import type { TileShape } from "./tile_text.ts";

export type { MatmulVariant, Orientation, TileShape };

/** Tensors of one product; the optional ones choose the epilogue. */
export interface MatmulBuffers {
  a: Tensor;
  /** f32 or f16: the same bits for the same numbers, where both are bound in the same row ranges. */
  b: Tensor;
  /** (M, N), overwritten, or added to with `accumulate`. */
  out: Tensor;
  /** (N), added to every row. */
  bias?: Tensor;
  /** Laid out as `out`, added after the bias. Needs `bias`. */
  residual?: Tensor;
  /** Laid out as `out`: written by "gelu", read by "dgelu". */
  pre?: Tensor;
  /**
   * Scratch of `partialScratch` elements, with which sums that are long are taken in parts where that is
   * faster. Their bits differ then, so that the caller decides by what the product is for, and never by M.
   */
  partial?: Tensor;
}

/** Shape and epilogue of one product. */
export interface MatmulDims {
  /** Rows of out. */
  M: number;
  /** Columns of out. */
  N: number;
  /** Length of each sum. */
  K: number;
  orientation: Orientation;
  /** Add to `out`, with "dgelu" before its factor; not with a bias. */
  accumulate?: boolean;
  /** Multiplies the product; only without bias and activation. Default 1. */
  scale?: number;
  /** "gelu": pre = product + bias, out = GELU(pre). "dgelu": out = ([out +] product) * GELU'(pre). */
  activation?: "gelu" | "dgelu";
  /** Elements from one row of `a` to the next; its own width by default. */
  ldA?: number;
  /** Elements from one row of `out` to the next; N by default. */
  ldOut?: number;
  /** First column of `a` that is used. */
  atA?: number;
  /** First column of `out` that is written. */
  atOut?: number;
  /**
   * "decode": few rows, whose product is bound by reading b. Its sums are taken in another order than
   * without it, so the caller decides by what the product is for, and never by M.
   */
  role?: "decode";
  /** Overrides the choice of kernel. @throws {RangeError} where that kernel cannot take the strides */
  variant?: MatmulVariant;
  /** Overrides the size of a register tile; no bit depends on it. */
  shape?: TileShape;
  /** Overrides how many k's of a sum are taken at a time, a multiple of 8 or K; needs `partial`. */
  part?: number;
}

/**
 * Enqueues out (M, N) = [out +] act(scale op(a) . op(b) + bias) + residual. When `b` (or, for TN, `out`) is
 * larger than one binding it is bound in row ranges, one launch each.
 * @throws {RangeError} when a tensor is too small, parts are no multiples of 8, or ranges are needed
 * together with an epilogue
 * @throws {TypeError} when the epilogue's tensors do not fit together
 */
export function matmul(device: Device, x: MatmulBuffers, dims: MatmulDims): void {
  const { M, N, K, orientation } = dims, epilogue = epilogueOf(x, dims);
  const part = x.partial && dims.role === undefined ? dims.part ?? partOf(device, dims) : K;
  const ranged = orientation === "TN" ? x.out : x.b;
  const [R, C] = orientation === "NT"
    ? [N, K]
    : orientation === "NN"
    ? [K, N]
    : [M, dims.ldOut ?? N];
  const { dtype } = ranged, bytes = R * C * bytesOf(dtype);
  if (bytes <= device.limits.maxBinding) return launch(device, x, { ...dims, part }, epilogue);
  const { atA = 0, atOut = 0 } = dims;
  const full = { ...dims, part, ldA: ldAOf(dims), ldOut: dims.ldOut ?? N };
  if (epilogue !== "plain") {
    throw new RangeError(
      `Cannot multiply by "${ranged.label}" with the ${epilogue} epilogue as row ranges have none: ` +
        `it holds ${bytes} bytes and one binding ${device.limits.maxBinding}`,
    );
  }
  for (const [start, end] of rowRanges(device.limits, { R, C, dtype })) {
    const rows = end - start;
    const piece = view(ranged, start * C, rows * C);
    if (orientation === "NT") {
      launch(device, { ...x, b: piece }, { ...full, N: rows, atOut: atOut + start }, epilogue);
    } else if (orientation === "NN") {
      const accumulate = dims.accumulate || start > 0;
      const range = { ...full, K: rows, atA: atA + start, accumulate };
      launch(device, { ...x, b: piece }, range, epilogue);
    } else {
      launch(device, { ...x, out: piece }, { ...full, M: rows, atA: atA + start }, epilogue);
    }
  }
}

const ldAOf = ({ orientation, M, K, ldA }: MatmulDims): number =>
  ldA ?? (orientation === "TN" ? M : K);

type Cut = MatmulDims & { part: number };

function launch(device: Device, x: MatmulBuffers, dims: Cut, epilogue: Epilogue): void {
  const { M, N, K, orientation, atA = 0, atOut = 0, accumulate = false, scale = 1 } = dims;
  const { role, variant, shape } = dims, ldOut = dims.ldOut ?? N;
  const strides = { ldA: ldAOf(dims), ldB: orientation === "NT" ? K : N, ldOut, atA, atOut };
  const isTileable = Object.values(strides).every((n) => n % 4 === 0);
  if (variant && variant !== "plain" && !isTileable) {
    const given = Object.entries(strides).map((entry) => entry.join(" ")).join(", ");
    throw new RangeError(
      `Cannot multiply with the ${variant} kernel as strides and first columns are multiples of 4 ` +
        `there: ${given}`,
    );
  }
  const [rowsA, columnsA] = orientation === "TN" ? [K, M] : [M, K];
  const laidOut = (M - 1) * ldOut + atOut + N;
  const bind: Record<string, readonly [Tensor, number]> = {
    a: [x.a, (rowsA - 1) * strides.ldA + atA + columnsA],
    b: [x.b, N * K],
    out: [x.out, laidOut],
  };
  if (x.bias) bind.bias = [x.bias, N];
  if (x.residual) bind.residual = [x.residual, laidOut];
  if (x.pre) bind.pre = [x.pre, laidOut];
  const choice = { orientation, epilogue, dtype: x.b.dtype, accumulate };
  const of = { M, N, K, ...strides, accumulate: Number(accumulate), scale, part: K, plane: 0 };
  const asked = { ...choice, isTileable, variant, shape };
  if (dims.part < K && isTileable && variant !== "plain") {
    return launchParts(device, { dims: of, bind, asked, partial: x.partial!, part: dims.part });
  }
  const isFew = role === "decode" && !variant && takesFewRows(orientation, { M, N, K, ...strides });
  device.launch({
    ...(isFew ? fewRows(device, dims, choice) : productKernel(device, dims, asked)),
    dims: of,
    bind,
  });
}
