/** The kernels of the matrix product: which texts are joined. @module */
import type { Dtype, Kernel } from "./device.ts";
import gelu from "./fragments/gelu_epilogue.wgsl" with { type: "text" };
import { packed } from "./fragments/pack.ts";
import { declareTables, halfTables } from "./fragments/table.ts";
import plain from "./matmul.wgsl" with { type: "text" };
import operands from "./fragments/product_operands.wgsl" with { type: "text" };
import load from "./matmul_load.wgsl" with { type: "text" };
import shuffle from "./matmul_shuffle.wgsl" with { type: "text" };
import touch from "./fragments/touch.wgsl" with { type: "text" };
import tiled from "./matmul_tile.wgsl" with { type: "text" };
import { type Epilogue, type Orientation, partTwin, productTwin } from "./matmul_twin.ts";
import shared from "./matmul_workgroup.wgsl" with { type: "text" };
import storeBiased from "./fragments/tile_biased.wgsl" with { type: "text" };
import storeDgelu from "./fragments/tile_dgelu.wgsl" with { type: "text" };
import storePart from "./fragments/tile_part.wgsl" with { type: "text" };
import storeGelu from "./fragments/tile_gelu.wgsl" with { type: "text" };
import storePlain from "./fragments/tile_plain.wgsl" with { type: "text" };
import storeResidualAdd from "./fragments/tile_residual_add.wgsl" with { type: "text" };
import { type TileShape, tileText } from "./tile_text.ts";

/**
 * Which kernel runs: one element an invocation, a register tile with either way of loading a, or a tile
 * that a workgroup shares.
 */
export type MatmulVariant = "plain" | "tile" | "shuffle" | "workgroup";

/** What tells one kernel of the product from another. */
export interface MatmulChoice {
  readonly variant: MatmulVariant;
  readonly orientation: Orientation;
  /** "part": each plane of workgroups leaves its part of the sums, to be combined. */
  readonly epilogue: Epilogue | "part";
  /** Of b. */
  readonly dtype: Dtype;
  /** Of all but the plain kernel. */
  readonly tile?: TileChoice;
}

/** What a tile is compiled for. */
export interface TileChoice {
  readonly shape: TileShape;
  /** K is no multiple of a step: of 4, or of 8 where a workgroup shares its tile. */
  readonly ragged: boolean;
  /** N is no multiple of 4. */
  readonly partial: boolean;
  readonly accumulate: boolean;
  /** Touches rows of b before they are read; only shuffling tiles do. */
  readonly ahead?: boolean;
  /** Tiles of a register are taken down the rows of out first. */
  readonly down?: boolean;
  /** Of a subgroup that shuffles. Default 8. */
  readonly lanes?: 8 | 16;
}

/** `store` of each epilogue, for kernels of the tile's bindings. */
export const stores: Readonly<Record<Epilogue | "part", string>> = {
  plain: storePlain,
  biased: storeBiased,
  residual_add: storeResidualAdd,
  gelu: storeGelu,
  dgelu: storeDgelu,
  part: storePart,
};

const kernels = new Map<string, Kernel>();

/** The kernel of a choice, the same object each time. */
export function matmulKernel(choice: MatmulChoice): Kernel {
  const { variant, orientation, epilogue, dtype, tile } = choice;
  const key = `${variant} ${orientation} ${epilogue} ${dtype} ${JSON.stringify(tile)}`;
  let kernel = kernels.get(key);
  if (!kernel) kernels.set(key, kernel = makeKernel(choice));
  return kernel;
}

function makeKernel({ variant, orientation, epilogue, dtype, tile }: MatmulChoice): Kernel {
  const tables = { b: { binding: 2, dtype } }, PACK = tile ? 4 : 1;
  const body = tile ? [operands, tiled, ...howLoaded(variant, tile), stores[epilogue]] : [plain];
  return {
    label: `matmul${tile ? "_" + variant : ""}.${epilogue}`,
    entryPoint: tile ? "multiply" : epilogue,
    code: packed([declareTables(tables, PACK), gelu, ...body].join("\n"), PACK).text.code,
    variant: [
      orientation,
      tile && `${tile.shape.rows} x ${tile.shape.columns}`,
      tile?.lanes === 16 && "16 lanes",
      halfTables(tables),
    ].filter(Boolean).join(", "),
    twin: epilogue === "part" ? partTwin(orientation) : productTwin(orientation, epilogue),
    workgroup: variant === "shuffle"
      ? tile!.lanes ?? 8
      : variant === "workgroup"
      ? sideOf(tile!.shape) ** 2
      : 64,
    constants: {
      TRANSPOSE_A: Number(orientation === "TN"),
      TRANSPOSE_B: Number(orientation === "NT"),
      ...(tile && {
        RAGGED: Number(tile.ragged),
        PARTIAL: Number(tile.partial),
        ACCUMULATE: Number(tile.accumulate),
        ...(variant !== "workgroup" && {
          AHEAD: Number(tile.ahead ?? false),
          DOWN: Number(tile.down ?? false),
        }),
      }),
    },
  };
}

/** Invocations a side of a workgroup that shares its tile: each owns 8 by 8. */
const sideOf = ({ rows }: TileShape): number => rows / 8;

function howLoaded(variant: MatmulVariant, { shape, lanes }: TileChoice): string[] {
  if (variant === "shuffle") return [touch, shuffle, tileText(shape, lanes)];
  if (variant === "tile") return [touch, load, tileText(shape)];
  return [load, `const SIDE = ${sideOf(shape)}u;`, shared];
}
