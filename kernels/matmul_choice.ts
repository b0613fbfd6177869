/** Which kernel of the matrix product runs where, and how large its tile is: the table by kind of adapter. @module */
import type { Device, Launch } from "./device.ts";
import { isWorthTouching } from "./fragments/touch.ts";
import { type MatmulChoice, matmulKernel, type MatmulVariant } from "./matmul_kernels.ts";
import type { Orientation } from "./matmul_twin.ts";
import type { TileShape } from "./tile_text.ts";

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
export function variantOf(
  device: Pick<Device, "features" | "software">,
  { N, K }: ProductSize,
  isTileable: boolean,
): MatmulVariant {
  if (!isTileable) return "plain";
  if (device.features.has("subgroups-8")) return "shuffle";
  // Below, workgroups of 64 columns are too few, or steps too few to hide the first.
  const isLarge = N >= 512 && K >= 64;
  return isLarge && !device.software ? "workgroup" : "tile";
}

/** Multiply-adds below which a large tile would take longer to compile than it ever saves. */
const SMALL = 2 ** 22;

/**
 * The tile. All of a variant's add in the same order, so that this may depend on M.
 *
 * A load costs the software adapter as much as many multiply-adds, and more where rows are whole pages
 * apart. 32 rows of 8 columns need half as many loads a product as 16 of 4: 36 in place of 20 GFLOP/s for
 * 256 x 3072 x 768, 40 in place of 28 for its NT. Larger tiles are slower, as sums leave the first cache.
 * Graphics hardware has registers for 64 sums; its large tile needs many rows to fill the adapter.
 */
export function tileShapeOf(
  variant: Exclude<MatmulVariant, "plain">,
  { M, N, K }: ProductSize,
): TileShape {
  if (variant === "tile") return { rows: 16, columns: 4 };
  if (variant === "shuffle") {
    if (M * N * K < SMALL || N <= 32) return { rows: M > 8 ? 16 : 8, columns: 4 };
    return { rows: M > 16 ? 32 : M > 8 ? 16 : 8, columns: 8 };
  }
  const isMany = Math.ceil(M / 128) * Math.ceil(N / 128) >= 128;
  return isMany ? { rows: 128, columns: 128 } : { rows: 64, columns: 64 };
}

/** What is asked of a product's kernel, beside its size. */
export interface Asked extends Pick<MatmulChoice, "orientation" | "epilogue" | "dtype"> {
  readonly accumulate: boolean;
  /** All strides and first columns are multiples of 4. */
  readonly isTileable: boolean;
  /** In place of what the table says. */
  readonly variant?: MatmulVariant;
  readonly shape?: TileShape;
}

/** The kernel of a product, and its grid. */
export function productKernel(
  device: Pick<Device, "features" | "software">,
  size: ProductSize,
  { accumulate, isTileable, variant = variantOf(device, size, isTileable), shape, ...choice }:
    Asked,
): Required<Pick<Launch, "kernel" | "groups">> {
  const { M, N, K } = size;
  if (variant === "plain") {
    const kernel = matmulKernel({ ...choice, variant });
    return { kernel, groups: [Math.ceil(N / kernel.workgroup!), M] };
  }
  const { rows, columns } = shape ??= tileShapeOf(variant, size);
  const isShared = variant === "workgroup", ragged = K % (isShared ? 8 : 4) !== 0;
  const ahead = variant === "shuffle" && shape.columns === 8 && isWorthTouching(size);
  // What is walked again for every line of tiles is the smaller operand; what stays, a strip of the other.
  const down = variant === "shuffle" && M <= N;
  const tile = { shape, ragged, partial: N % 4 !== 0, accumulate, ahead, down };
  const kernel = matmulKernel({ ...choice, variant, tile });
  const [below, beside] = isShared ? [1, 1] : [kernel.workgroup! / 8, 8]; // tiles of a workgroup
  const across = Math.ceil(N / (columns * beside)), along = Math.ceil(M / (rows * below));
  return { kernel, groups: down ? [along, across] : [across, along] };
}
