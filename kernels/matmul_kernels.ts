/** The kernels of the matrix product: which texts are joined, and the twin of each epilogue. @module */
import type { Dtype, FloatArray, Kernel } from "./device.ts";
import gelu from "./fragments/gelu_epilogue.wgsl" with { type: "text" };
import { packed } from "./fragments/pack.ts";
import { declareTables, halfTables } from "./fragments/table.ts";
import { geluOf, geluSlope } from "./gelu_cpu.ts";
import plain from "./matmul.wgsl" with { type: "text" };
import { multiply, type Operands, type ProductDims } from "./matmul_cpu.ts";
import load from "./matmul_load.wgsl" with { type: "text" };
import shuffle from "./matmul_shuffle.wgsl" with { type: "text" };
import tile from "./matmul_tile.wgsl" with { type: "text" };
import storeBiased from "./fragments/tile_biased.wgsl" with { type: "text" };
import storeDgelu from "./fragments/tile_dgelu.wgsl" with { type: "text" };
import storeGelu from "./fragments/tile_gelu.wgsl" with { type: "text" };
import storePlain from "./fragments/tile_plain.wgsl" with { type: "text" };
import storeResidualAdd from "./fragments/tile_residual_add.wgsl" with { type: "text" };

/** NN: a (M, K), b (K, N). NT: a (M, K), b (N, K). TN: a (K, M), b (K, N). */
export type Orientation = "NN" | "NT" | "TN";
/** Which kernel runs: one element an invocation, or a register tile with either way of loading a. */
export type MatmulVariant = "plain" | "tile" | "shuffle";
/** What is done with each element of the product before it is stored. */
export type Epilogue = "plain" | "biased" | "residual_add" | "gelu" | "dgelu";

/** What tells one kernel of the product from another. */
export interface MatmulChoice {
  readonly variant: MatmulVariant;
  readonly orientation: Orientation;
  readonly epilogue: Epilogue;
  /** Of b. */
  readonly dtype: Dtype;
}

type TwinArrays = Operands & Partial<Record<"bias" | "residual" | "pre", FloatArray>>;

const stores: Record<Epilogue, string> = {
  plain: storePlain,
  biased: storeBiased,
  residual_add: storeResidualAdd,
  gelu: storeGelu,
  dgelu: storeDgelu,
};

/** The definition of each epilogue: `i` is the element's index in out, `n` its column. */
const epilogues: Record<
  Epilogue,
  (x: TwinArrays, i: number, n: number, product: number) => void
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

const twins = new Map<string, Kernel["twin"]>();

/** The definition of a product with its epilogue: one function, whichever variant of the kernel runs. */
export function productTwin(orientation: Orientation, epilogue: Epilogue): Kernel["twin"] {
  const key = `${orientation} ${epilogue}`, store = epilogues[epilogue];
  const transposed = { transposeA: orientation === "TN", transposeB: orientation === "NT" };
  let twin = twins.get(key);
  if (!twin) {
    twin = (x: TwinArrays, dims: Omit<ProductDims, keyof typeof transposed>) =>
      multiply(x, { ...dims, ...transposed }, (i, n, product) => store(x, i, n, product));
    twins.set(key, twin);
  }
  return twin;
}

const kernels = new Map<string, Kernel>();

/** The kernel of a choice, the same object each time. */
export function matmulKernel(choice: MatmulChoice): Kernel {
  const { variant, orientation, epilogue, dtype } = choice;
  const key = `${variant} ${orientation} ${epilogue} ${dtype}`;
  let kernel = kernels.get(key);
  if (!kernel) kernels.set(key, kernel = makeKernel(choice));
  return kernel;
}

function makeKernel({ variant, orientation, epilogue, dtype }: MatmulChoice): Kernel {
  const isPlain = variant === "plain";
  const tables = { b: { binding: 2, dtype } }, PACK = isPlain ? 1 : 4;
  const body = isPlain ? [plain] : [tile, variant === "shuffle" ? shuffle : load, stores[epilogue]];
  return {
    label: `matmul${isPlain ? "" : "_" + variant}.${epilogue}`,
    entryPoint: isPlain ? epilogue : "multiply",
    code: packed([declareTables(tables, PACK), gelu, ...body].join("\n"), PACK).text.code,
    variant: [orientation, halfTables(tables)].filter(Boolean).join(", "),
    twin: productTwin(orientation, epilogue),
    workgroup: variant === "shuffle" ? 8 : 64,
    constants: {
      TRANSPOSE_A: Number(orientation === "TN"),
      TRANSPOSE_B: Number(orientation === "NT"),
    },
  };
}
