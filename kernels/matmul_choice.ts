/** Which kernel of the matrix product runs where, how large its tile is, and how long sums are cut. @module */
import type { Launch } from "./device.ts";
import { isWorthTouching } from "./fragments/touch.ts";
import { type MatmulChoice, matmulKernel, type MatmulVariant } from "./matmul_kernels.ts";
import type { Orientation } from "./matmul_twin.ts";
import type { TileShape } from "./tile_text.ts";
import {
  type Adapter,
  choicesOf,
  productClass,
  rowsClass,
  shuffleLanes,
  sumClass,
  unrollsLoads,
} from "./tuning.ts";

/** Sizes that a choice may look at. */
export interface ProductSize {
  readonly orientation: Orientation;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/**
 * The kernel. Kernels may round their sums differently, so that it depends on orientation, N and K
 * alone: an element of `out` has the same bits in a batch of any size.
 */
export const variantOf = (
  adapter: Adapter,
  size: Pick<ProductSize, "orientation" | "N" | "K">,
  isTileable: boolean,
): MatmulVariant => isTileable ? choicesOf(adapter).products[productClass(size)]!.variant : "plain";

/**
 * How many k's of a sum are added up at a time: K where it is not cut, else a multiple of 8. Where sums are
 * long and results few, parts of them fill the adapter (matmul_parts.ts). For NN and NT it depends on N and K
 * alone, as if a batch had one row of tiles: so an element of `out` has the same bits in a batch of any size.
 * In TN the sum itself is over the batch, and both sides of `out` are the weight's.
 */
export function partOf(adapter: Adapter, size: ProductSize): number {
  const { orientation, M, N, K } = size, most = choicesOf(adapter).parts[sumClass(size)]!;
  const rows = orientation === "TN" ? M : 1, least = orientation === "TN" ? 256 : LEAST;
  const tiles = Math.ceil(rows / 64) * Math.ceil(N / 64);
  return partFor(K, Math.min(Math.ceil(WANTED / tiles), Math.floor(K / least), most));
}

/** Workgroups of 64 x 64 results that fill a large adapter, and fewest k's of a part of NN and NT. */
const WANTED = 512, LEAST = 1024;

/** k's of one part where a sum of K is cut into at most `parts`. */
export const partFor = (K: number, parts: number): number =>
  parts <= 1 ? K : Math.min(K, Math.ceil(K / parts / 8) * 8);

/** Multiply-adds below which a large tile would take longer to compile than it ever saves. */
const SMALL = 2 ** 22;

/** What else decides about a tile: parts that sums are cut into, lanes that shuffle, `unrollsLoads`. */
interface TileOptions {
  readonly parts?: number;
  readonly lanes?: 8 | 16;
  readonly unrolled?: boolean;
}

/**
 * The tile. All of a variant's add in the same order, so that this may depend on M.
 *
 * A load costs the software adapter as much as many multiply-adds, and more where rows are whole pages
 * apart. 32 rows of 8 columns need half as many loads a product as 16 of 4; of 64 of 8, with two thirds of
 * that, the sums leave the first cache, which some processors bear and others do not: `tune` tries it.
 * 16 lanes of 4 columns read b as 8 lanes of 8 do, and 64 rows of them have the sums of 32 of 8. Where loads
 * are written out for every lane, which is faster and longer, the loop of 32 by 8 is too long for the first
 * cache of instructions, that of 32 by 4 is not.
 * Graphics hardware has registers for 64 sums; its large tile needs many rows to fill the adapter.
 */
export function tileShapeOf(
  variant: Exclude<MatmulVariant, "plain">,
  { M, N, K }: ProductSize,
  { parts = 1, lanes = 8, unrolled = false }: TileOptions = {},
): TileShape {
  if (variant === "tile") return { rows: 16, columns: 4 };
  if (variant === "shuffle") {
    const isSmall = !unrolled && (M * N * K < SMALL || N <= 32);
    if (isSmall) return { rows: M > 8 ? 16 : 8, columns: 4 };
    if (lanes === 16 && M >= 64) return { rows: 64, columns: 4 };
    return { rows: M > 16 ? 32 : M > 8 ? 16 : 8, columns: unrolled ? 4 : 8 };
  }
  const isMany = Math.ceil(M / 128) * Math.ceil(N / 128) * parts >= 128;
  return isMany ? { rows: 128, columns: 128 } : { rows: 64, columns: 64 };
}

/** What was measured, for products that fill such a tile. */
function tunedShape(
  { tuning }: Adapter,
  variant: MatmulVariant,
  size: ProductSize,
): TileShape | undefined {
  const tuned = tuning?.products?.[productClass(size)];
  if (tuned?.variant !== variant) return undefined;
  const shape = tuned[rowsClass(size)];
  return shape && size.M >= shape.rows ? shape : undefined;
}

/** What is asked of a product's kernel, beside its size. */
export interface Asked extends Pick<MatmulChoice, "orientation" | "epilogue" | "dtype"> {
  /** Planes of workgroups, each with its part of the sums. Default 1. */
  readonly parts?: number;
  readonly accumulate: boolean;
  /** All strides and first columns are multiples of 4. */
  readonly isTileable: boolean;
  /** In place of what the table says. */
  readonly variant?: MatmulVariant;
  readonly shape?: TileShape;
}

/** The kernel of a product, and its grid. */
export function productKernel(
  adapter: Adapter,
  size: ProductSize,
  asked: Asked,
): Required<Pick<Launch, "kernel" | "groups">> {
  const { M, N, K } = size, { accumulate, isTileable, parts = 1, ...given } = asked;
  const { variant = variantOf(adapter, size, isTileable), shape: wanted, ...choice } = given;
  if (variant === "plain") {
    const kernel = matmulKernel({ ...choice, variant });
    return { kernel, groups: [Math.ceil(N / kernel.workgroup!), M] };
  }
  const unrolled = unrollsLoads(adapter), most = shuffleLanes(adapter);
  const shape = wanted ?? tunedShape(adapter, variant, size) ??
    tileShapeOf(variant, size, { parts, lanes: most, unrolled });
  const { rows, columns } = shape, isShared = variant === "workgroup";
  const ragged = K % (isShared ? 8 : 4) !== 0, partial = N % 4 !== 0;
  // All lanes of a subgroup where each has a row to bring and columns of its own, else 8.
  const lanes = variant === "shuffle" && rows % 16 === 0 && N > 32 ? most : 8;
  // Of 32 columns a row has two lines, for which touching costs as much as it saves, unless loads are cheap.
  const isWide = columns * lanes >= (unrolled ? 32 : 64);
  const ahead = variant === "shuffle" && isWide && isWorthTouching(size);
  // What is walked again for every line of tiles is the smaller operand; what stays, a strip of the other, and
  // always one of b where its rows are touched, as then the first tile of a strip alone does.
  const down = variant === "shuffle" && (ahead || M <= N);
  const kernel = matmulKernel({
    ...{ ...choice, variant },
    tile: { shape, ragged, partial, accumulate, ahead, down, lanes },
  });
  const [below, beside] = isShared ? [1, 1] : [kernel.workgroup! / lanes, lanes]; // tiles of a workgroup
  const across = Math.ceil(N / (columns * beside)), along = Math.ceil(M / (rows * below));
  return { kernel, groups: down ? [along, across, parts] : [across, along, parts] };
}
