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

/** Whether these kernels take a product: whole vec4s everywhere, but for N of the transposed form. */
export function takesFewRows(
  orientation: Orientation,
  { N, K, ldA, ldB, ldOut, atA, atOut }: FewRowsDims,
): boolean {
  const whole = [K, ldA, ldB, ldOut, atA, atOut, orientation === "NN" ? N : 0];
  return orientation !== "TN" && whole.every((n) => n % 4 === 0);
}

/** The kernel, and the grid, of a product that `takesFewRows`. */
export function fewRows(
  adapter: Adapter,
  { M, N, K }: Pick<FewRowsDims, "M" | "N" | "K">,
  choice: Pick<FewRowsChoice, "orientation" | "epilogue" | "dtype" | "accumulate">,
): Required<Pick<Launch, "kernel" | "groups">> {
  const { NN, NT } = choicesOf(adapter).fewRows;
  const sharing = choice.orientation === "NT" ? NT! : NN!;
  const ROWS = M === 1 ? 1 : M <= 4 ? 4 : sharing === "shuffle" ? 16 : 8;
  const STRIPS = sharing === "shuffle" && choice.orientation === "NN" ? stripsOf(N, ROWS) : 1;
  const ahead = sharing === "shuffle" && isWorthTouching({ ...choice, N, K });
  return {
    kernel: fewRowsKernel({ ...choice, partial: N % 4 !== 0, ahead, sharing, ROWS, STRIPS }),
    groups: [Math.ceil(N / 32 / STRIPS), Math.ceil(M / ROWS)],
  };
}

/** Strips of so many rows, the best first: more of them and their sums no longer fit the first cache. */
const MOST_STRIPS: Readonly<Record<number, readonly number[]>> = {
  1: [12, 6, 4, 2],
  4: [4, 2],
  16: [3, 2],
};

/**
 * Strips that divide N: memory is read along rows of b, which are one strip wide else, and still at least
 * two workgroups share the work.
 */
const stripsOf = (N: number, ROWS: number): number =>
  MOST_STRIPS[ROWS].find((strips) => N % (32 * strips) === 0 && N / 32 / strips >= 2) ?? 1;

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
