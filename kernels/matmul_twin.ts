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

const transposedBy = (orientation: Orientation) => ({
  transposeA: orientation === "TN",
  transposeB: orientation === "NT",
});

type Dims = Omit<ProductDims, "transposeA" | "transposeB">;

const twins = new Map<string, Kernel["twin"]>();

/** The definition of a product with its epilogue: one function, whichever kernel runs. */
export function productTwin(orientation: Orientation, epilogue: Epilogue): Kernel["twin"] {
  const store = epilogues[epilogue], transposed = transposedBy(orientation);
  return kept(
    `${orientation} ${epilogue}`,
    (x: Arrays, dims: Dims) =>
      multiply(x, { ...dims, ...transposed }, (i, n, product) => store(x, i, n, product)),
  );
}

/** Dims of a product whose sums are taken in parts: `part` k's each, which lie `plane` elements apart. */
export type PartDims = Dims & Record<"part" | "plane", number>;

/** The definition of its first step: out (parts, M, N), each the sum over its own k's. */
export function partTwin(orientation: Orientation): Kernel["twin"] {
  const transposed = transposedBy(orientation), { transposeA, transposeB } = transposed;
  return kept(`${orientation} part`, ({ a, b, out }: Arrays, dims: PartDims) => {
    const { K, ldA, ldB, atA, atOut, part, plane } = dims;
    for (let k = 0, at = atOut; k < K; k += part, at += plane) {
      multiply({ a, b: b.subarray(k * (transposeB ? 1 : ldB)), out }, {
        ...{ ...dims, ...transposed, accumulate: 0, scale: 1 },
        K: Math.min(part, K - k),
        atA: atA + k * (transposeA ? ldA : 1),
        atOut: at,
      }, (i, _n, product) => out[i] = product);
    }
  });
}

/** The definition of its second step: a (K, M, N) holds the K parts, added up in order; then the epilogue. */
export function combineTwin(epilogue: Epilogue): Kernel["twin"] {
  const store = epilogues[epilogue];
  return kept(`combine ${epilogue}`, (x: Arrays, dims: PartDims) => {
    const { M, N, K, ldA, ldOut, atA, atOut, accumulate, scale, plane } = dims;
    for (let m = 0; m < M; m++) {
      for (let n = 0; n < N; n++) {
        const from = m * ldA + atA + n, at = m * ldOut + atOut + n;
        let sum = x.a[from];
        for (let p = 1; p < K; p++) sum += x.a[from + p * plane];
        store(x, at, n, accumulate ? x.out[at] + scale * sum : scale * sum);
      }
    }
  });
}

/** The same function each time: threads find it by its name. */
function kept(key: string, twin: Kernel["twin"]): Kernel["twin"] {
  if (!twins.has(key)) twins.set(key, twin);
  return twins.get(key)!;
}
