/** Matrix product with epilogues: the definition, the plain kernel and the tiled ones. @module */
import {
  bytesOf,
  type Device,
  type FloatArray,
  type Kernel,
  rowRanges,
  type Tensor,
  view,
} from "./device.ts";
import plainCode from "./matmul.wgsl" with { type: "text" };
import tileCode from "./matmul_tile.wgsl" with { type: "text" };
import loadCode from "./matmul_load.wgsl" with { type: "text" };
import shuffleCode from "./matmul_shuffle.wgsl" with { type: "text" };
import { geluOf, geluSlope } from "./gelu_cpu.ts";
import { halved } from "./fragments/half.ts";
import { multiply, type Operands } from "./matmul_cpu.ts";

/** NN: a (M, K), b (K, N). NT: a (M, K), b (N, K). TN: a (K, M), b (K, N). */
export type Orientation = "NN" | "NT" | "TN";
/** Which kernel runs: one element an invocation, or a register tile with either way of loading a. */
export type MatmulVariant = "plain" | "tile" | "shuffle";

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
  /** Overrides the choice of kernel. @throws {RangeError} where that kernel cannot take the strides */
  variant?: MatmulVariant;
}

/** Override constants and dims as a twin gets them. */
type TwinDims = Record<
  "M" | "N" | "K" | "ldA" | "ldB" | "ldOut" | "atA" | "atOut" | "accumulate" | "scale",
  number
>;
type Entry = "plain" | "biased" | "residual_add" | "gelu" | "dgelu";

const epilogues: Record<
  Entry,
  (
    x: Operands & Partial<Record<"bias" | "residual" | "pre", FloatArray>>,
    i: number,
    n: number,
    product: number,
  ) => void
> = {
  plain: ({ out }, i, _n, product) => out[i] = product,
  biased: ({ out, bias }, i, n, product) => out[i] = product + bias![n],
  residual_add: ({ out, bias, residual }, i, n, product) =>
    out[i] = product + bias![n] + residual![i],
  gelu: ({ out, bias, pre }, i, n, product) => {
    pre![i] = product + bias![n];
    out[i] = geluOf(pre![i]); // of the rounded number, as a kernel of its own would read it
  },
  dgelu: ({ out, pre }, i, _n, product) => out[i] = product * geluSlope(pre![i]),
};

const kernels = new Map<string, Kernel>();

function kernelFor(
  variant: MatmulVariant,
  orientation: Orientation,
  entry: Entry,
  b: Tensor,
): Kernel {
  const key = `${variant} ${orientation} ${entry} ${b.dtype}`;
  let kernel = kernels.get(key);
  if (!kernel) {
    const [transposeA, transposeB] = [orientation === "TN", orientation === "NT"];
    const epilogue = epilogues[entry];
    const code = variant === "plain"
      ? plainCode
      : `${tileCode}\n${variant === "shuffle" ? shuffleCode : loadCode}`;
    kernel = {
      label: `matmul${variant === "plain" ? "" : "_" + variant}.${entry}`,
      code: halved(code, { b }),
      twin: (x: Operands, dims: TwinDims) =>
        multiply(x, { ...dims, transposeA, transposeB }, (i, n, product) => {
          epilogue(x, i, n, product);
        }),
      workgroup: variant === "shuffle" ? 8 : 64,
      constants: { TRANSPOSE_A: Number(transposeA), TRANSPOSE_B: Number(transposeB) },
    };
    kernels.set(key, kernel);
  }
  return kernel;
}

/**
 * Enqueues out (M, N) = [out +] act(scale op(a) . op(b) + bias) + residual. When `b` (or, for TN, `out`) is
 * larger than one binding it is bound in row ranges, one launch each.
 * @throws {RangeError} when a tensor is too small, or ranges are needed together with an epilogue
 * @throws {TypeError} when the epilogue's tensors do not fit together
 */
export function matmul(device: Device, x: MatmulBuffers, dims: MatmulDims): void {
  const { M, N, K, orientation } = dims;
  const entry = entryOf(x, dims);
  const ranged = orientation === "TN" ? x.out : x.b;
  const [R, C] = orientation === "NT"
    ? [N, K]
    : orientation === "NN"
    ? [K, N]
    : [M, dims.ldOut ?? N];
  const { dtype } = ranged, bytes = R * C * bytesOf(dtype);
  if (bytes <= device.limits.maxBinding) return launch(device, x, dims, entry);
  const { atA = 0, atOut = 0 } = dims;
  const full = { ...dims, ldA: ldAOf(dims), ldOut: dims.ldOut ?? N };
  if (entry !== "plain") {
    throw new RangeError(
      `Cannot multiply by "${ranged.label}" with the ${entry} epilogue as row ranges have none: ` +
        `it holds ${bytes} bytes and one binding ${device.limits.maxBinding}`,
    );
  }
  for (const [start, end] of rowRanges(device.limits, { R, C, dtype })) {
    const rows = end - start;
    const part = view(ranged, start * C, rows * C);
    if (orientation === "NT") {
      launch(device, { ...x, b: part }, { ...full, N: rows, atOut: atOut + start }, entry);
    } else if (orientation === "NN") {
      const accumulate = dims.accumulate || start > 0;
      launch(device, { ...x, b: part }, { ...full, K: rows, atA: atA + start, accumulate }, entry);
    } else {
      launch(device, { ...x, out: part }, { ...full, M: rows, atA: atA + start }, entry);
    }
  }
}

const ldAOf = ({ orientation, M, K, ldA }: MatmulDims): number =>
  ldA ?? (orientation === "TN" ? M : K);

function entryOf({ bias, residual, pre }: MatmulBuffers, dims: MatmulDims): Entry {
  const { activation, accumulate, scale = 1 } = dims;
  const entry: Entry = activation ?? (residual ? "residual_add" : bias ? "biased" : "plain");
  const wanted = {
    plain: "",
    biased: "bias",
    residual_add: "bias residual",
    gelu: "bias pre",
    dgelu: "pre",
  };
  const given = Object.entries({ bias, residual, pre }).filter(([, t]) => t).map(([n]) => n).join(
    " ",
  );
  const adds = accumulate && entry !== "plain" && entry !== "dgelu";
  if (given !== wanted[entry] || adds || (scale !== 1 && entry !== "plain")) {
    throw new TypeError(
      `Cannot multiply with the ${entry} epilogue as it takes "${wanted[entry]}"` +
        `${adds ? " and no accumulation" : ""}${scale !== 1 ? " and no scale" : ""}: ` +
        `"${given}" was given`,
    );
  }
  return entry;
}

function launch(device: Device, x: MatmulBuffers, dims: MatmulDims, entry: Entry): void {
  const { M, N, K, orientation, atA = 0, atOut = 0, accumulate = false, scale = 1 } = dims;
  const ldA = ldAOf(dims);
  const ldB = orientation === "NT" ? K : N;
  const ldOut = dims.ldOut ?? N;
  const tileable = [ldA, ldB, ldOut, atA, atOut].every((n) => n % 4 === 0);
  const variant = dims.variant ??
    (!tileable ? "plain" : device.features.has("subgroups-8") ? "shuffle" : "tile");
  if (variant !== "plain" && !tileable) {
    throw new RangeError(
      `Cannot multiply with the ${variant} kernel as strides and first columns are multiples of 4 ` +
        `there: ldA ${ldA}, ldB ${ldB}, ldOut ${ldOut}, atA ${atA}, atOut ${atOut}`,
    );
  }
  const rowsA = orientation === "TN" ? K : M;
  const columnsA = orientation === "TN" ? M : K;
  const laidOut = (M - 1) * ldOut + atOut + N;
  const bind: Record<string, readonly [Tensor, number]> = {
    a: [x.a, (rowsA - 1) * ldA + atA + columnsA],
    b: [x.b, N * K],
    out: [x.out, laidOut],
  };
  if (x.bias) bind.bias = [x.bias, N];
  if (x.residual) bind.residual = [x.residual, laidOut];
  if (x.pre) bind.pre = [x.pre, laidOut];
  const kernel = kernelFor(variant, orientation, entry, x.b);
  const groups: [number, number] = variant === "plain"
    ? [Math.ceil(N / kernel.workgroup!), M]
    : [Math.ceil(N / 32), Math.ceil(M / (2 * kernel.workgroup!))];
  device.launch({
    kernel,
    dims: { M, N, K, ldA, ldB, ldOut, atA, atOut, accumulate: Number(accumulate), scale },
    bind,
    groups,
  });
}
