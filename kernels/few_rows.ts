/**
 * Products of the few rows of a decode step, which are bound by reading the weights: which kernel runs
 * is decided by the orientation, N, K and the device. M decides only how many rows share a read of b,
 * which changes no sum: a row gets the same bits in every batch.
 * @module
 */
import type { Dtype, Kernel, Launch } from "./device.ts";
import code from "./few_rows.wgsl" with { type: "text" };
import alongK from "./few_rows_along_k.wgsl" with { type: "text" };
import { type Block, multiplyText, type Sharing } from "./few_rows_text.ts";
import gelu from "./fragments/gelu_epilogue.wgsl" with { type: "text" };
import { packed } from "./fragments/pack.ts";
import operands from "./fragments/product_operands.wgsl" with { type: "text" };
import { declareTables, halfTables } from "./fragments/table.ts";
import { isWorthTouching } from "./fragments/touch.ts";
import touch from "./fragments/touch.wgsl" with { type: "text" };
import { productKernel } from "./matmul_choice.ts";
import { stores } from "./matmul_kernels.ts";
import { type Epilogue, type Orientation, productTwin } from "./matmul_twin.ts";
import { type Adapter, choicesOf } from "./tuning.ts";

/** What tells one kernel from another. */
export interface FewRowsChoice extends Block {
  readonly sharing: Sharing;
  readonly orientation: Orientation;
  readonly epilogue: Epilogue;
  /** Of b. */
  readonly dtype: Dtype;
  readonly accumulate: boolean;
  /** N is no multiple of 4. */
  readonly partial: boolean;
  /** Touches rows of b before they are read; only "shuffle" does. */
  readonly ahead?: boolean;
}

/** Strides of a product, as matmul.wgsl names them. */
export interface FewRowsDims {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly ldA: number;
  readonly ldB: number;
  readonly ldOut: number;
  readonly atA: number;
  readonly atOut: number;
}

/**
 * Whether products of decoding are faster by weights (N, K) than by (K, N), with the same bits: where lanes
 * shuffle each walks along its own rows of b, where a prefetcher follows. By batches of 1 and 16 that takes
 * half off them.
 */
export function prefersTransposed(adapter: Adapter): boolean {
  const { NN, NT } = choicesOf(adapter).fewRows;
  return NN === "shuffle" && NT === "shuffle";
}

/** Whether these kernels take a product: whole vec4s everywhere, but for N of the transposed form. */
export function takesFewRows(
  orientation: Orientation,
  { N, K, ldA, ldB, ldOut, atA, atOut }: FewRowsDims,
): boolean {
  const whole = [K, ldA, ldB, ldOut, atA, atOut, orientation === "NN" ? N : 0];
  return orientation !== "TN" && whole.every((n) => n % 4 === 0);
}

/**
 * The kernel, and the grid, of a product that `takesFewRows`. Where lanes shuffle, more than four rows have
 * the register tile: it takes its sums in the same order, one k after another.
 */
export function fewRows(
  adapter: Adapter,
  { M, N, K }: Pick<FewRowsDims, "M" | "N" | "K">,
  choice: Pick<FewRowsChoice, "orientation" | "epilogue" | "dtype" | "accumulate">,
): Required<Pick<Launch, "kernel" | "groups">> {
  const { orientation } = choice, { NN, NT } = choicesOf(adapter).fewRows;
  const sharing = orientation === "NT" ? NT! : NN!, isShuffled = sharing === "shuffle";
  if (isShuffled && M > 4) {
    const asked = { ...choice, isTileable: true, variant: "shuffle" } as const;
    return productKernel(adapter, { orientation, M, N, K }, asked);
  }
  const ROWS = M === 1 ? 1 : M <= 4 ? 4 : 8;
  const STRIPS = !isShuffled ? 1 : orientation === "NN" ? stripsAlong(N, ROWS) : stripsDown(N);
  const ahead = isShuffled && isWorthTouching({ ...choice, N, K });
  return {
    kernel: fewRowsKernel({ ...choice, partial: N % 4 !== 0, ahead, sharing, ROWS, STRIPS }),
    groups: [Math.ceil(N / 32 / STRIPS), Math.ceil(M / ROWS)],
  };
}

/** Strips of so many rows, the best first: more of them and their sums no longer fit the first cache. */
const MOST_STRIPS: Readonly<Record<number, readonly number[]>> = {
  1: [12, 6, 4, 2],
  4: [4, 2],
};

/**
 * Strips that divide N: memory is read along rows of b, which are one strip wide else, and still at least
 * two workgroups share the work.
 */
const stripsAlong = (N: number, ROWS: number): number =>
  MOST_STRIPS[ROWS].find((strips) => N % (32 * strips) === 0 && N / 32 / strips >= 2) ?? 1;

/** Strips that share what was shuffled, of b (N, K), whose rows lie as each lane walks them. */
const stripsDown = (N: number): number => N >= 8 * 32 * 3 ? 3 : 1;

const kernels = new Map<string, Kernel>();

/** The kernel of a choice, the same object each time. */
export function fewRowsKernel(choice: FewRowsChoice): Kernel {
  const key = JSON.stringify(Object.entries(choice).sort());
  let kernel = kernels.get(key);
  if (!kernel) kernels.set(key, kernel = makeKernel(choice));
  return kernel;
}

function makeKernel(
  { sharing, ROWS, STRIPS, orientation, epilogue, dtype, accumulate, partial, ahead }:
    FewRowsChoice,
): Kernel {
  const tables = { b: { binding: 2, dtype } }, transposed = orientation === "NT";
  const texts = [
    declareTables(tables, 4),
    gelu,
    operands,
    touch,
    code,
    ...(sharing === "along_k" ? [alongK] : []),
    stores[epilogue],
    multiplyText(sharing, { ROWS, STRIPS }, transposed),
  ];
  const block = `${ROWS} rows` + (STRIPS > 1 ? ` of ${STRIPS} strips` : "");
  return {
    label: `few_rows_${sharing}.${epilogue}`,
    entryPoint: "multiply",
    code: packed(texts.join("\n"), 4).text.code,
    variant: [orientation, block, halfTables(tables)].filter(Boolean).join(", "),
    twin: productTwin(orientation, epilogue),
    workgroup: sharing === "shuffle" ? 8 : 256,
    constants: {
      PARTIAL: Number(partial),
      ACCUMULATE: Number(accumulate),
      AHEAD: Number(ahead ?? false),
    },
  };
}
