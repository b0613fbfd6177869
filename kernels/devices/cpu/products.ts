/** How products are cut: into rows of out, or into columns where there are more of those. @module */
import {
  combineTwin,
  type Epilogue,
  type Orientation,
  partTwin,
  productTwin,
} from "../../matmul_twin.ts";
import type { Split, SplitTwin } from "./split.ts";

const ORIENTATIONS: readonly Orientation[] = ["NN", "NT", "TN"];
const EPILOGUES: readonly Epilogue[] = ["plain", "biased", "residual_add", "gelu", "dgelu"];

/** Every product with every epilogue, and both steps of one whose sums are taken in parts. */
export function splitProducts(): SplitTwin[] {
  const products = ORIENTATIONS.flatMap((orientation) => [
    ...EPILOGUES.map((epilogue) => ({
      name: `product ${orientation} ${epilogue}`,
      twin: productTwin(orientation, epilogue),
      split: splitOf(orientation),
    })),
    {
      name: `product ${orientation} part`,
      twin: partTwin(orientation),
      split: splitOf(orientation),
    },
  ]);
  const combining = EPILOGUES.map((epilogue) => ({
    name: `parts of a product ${epilogue}`,
    twin: combineTwin(epilogue),
    split: rowsOfParts,
  }));
  return [...products, ...combining];
}

/** Rows of all parts at once. */
const rowsOfParts: Split = {
  lines: ({ M }) => M,
  work: ({ N, K }, lines) => lines * N * K,
  part: (arrays, dims, [start, end]) => [arrays, {
    ...{ ...dims, M: end - start },
    atA: dims.atA + start * dims.ldA,
    atOut: dims.atOut + start * dims.ldOut,
  }],
};

/**
 * Each part unpacks anew what it shares with the others: all of b for rows, all of a for columns. So the
 * longer side is cut.
 */
function splitOf(orientation: Orientation): Split {
  return {
    lines: ({ M, N }) => Math.max(M, N),
    unit: () => 4, // lines that the twin computes at a time
    work: ({ M, N, K }) => M * N * K,
    part(arrays, dims, [start, end]) {
      const { M, N, ldA, ldB, ldOut, atA, atOut } = dims, lines = end - start;
      if (M >= N) {
        const rows = start * (orientation === "TN" ? 1 : ldA);
        return [arrays, { ...dims, M: lines, atA: atA + rows, atOut: atOut + start * ldOut }];
      }
      const b = arrays.b.subarray(start * (orientation === "NT" ? ldB : 1));
      const bias = arrays.bias && { bias: arrays.bias.subarray(start) };
      return [{ ...arrays, b, ...bias }, { ...dims, N: lines, atOut: atOut + start }];
    },
  };
}
