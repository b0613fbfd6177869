/** The definition of the matrix product with each epilogue. @module */
import type { FloatArray, Kernel } from "./device.ts";
import { geluOf, geluSlope } from "./gelu_cpu.ts";
import { multiply, type Operands, type ProductDims } from "./matmul_cpu.ts";

/** NN: a (M, K), b (K, N). NT: a (M, K), b (N, K). TN: a (K, M), b (K, N). */
export type Orientation = "NN" | "NT" | "TN";
/** What is done with each element of the product before it is stored. */
export type Epilogue = "plain" | "biased" | "residual_add" | "gelu" | "dgelu";

type Arrays = Operands & Partial<Record<"bias" | "residual" | "pre", FloatArray>>;

/** Of each epilogue: `i` is the element's index in out, `n` its column. */
const epilogues: Record<
  Epilogue,
  (x: Arrays, i: number, n: number, product: number) => void
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

/** The definition of a product with its epilogue: one function, whichever kernel runs. */
export function productTwin(orientation: Orientation, epilogue: Epilogue): Kernel["twin"] {
  const key = `${orientation} ${epilogue}`, store = epilogues[epilogue];
  const transposed = { transposeA: orientation === "TN", transposeB: orientation === "NT" };
  let twin = twins.get(key);
  if (!twin) {
    twin = (x: Arrays, dims: Omit<ProductDims, keyof typeof transposed>) =>
      multiply(x, { ...dims, ...transposed }, (i, n, product) => store(x, i, n, product));
    twins.set(key, twin);
  }
  return twin;
}
