/** Declarations of read-only tensors that hold f32 or f16, each with a function that gives a Pack. @module */
import type { Dtype } from "../device.ts";
import half from "./half.wgsl" with { type: "text" };
import type { PackSize } from "./pack.ts";

/** One tensor that a kernel reads by packs. */
export interface Table {
  readonly binding: number;
  readonly dtype: Dtype;
}

/**
 * WGSL lines, for behind a pack fragment: each table under its name, and `fn NAMEAt(i: u32) -> Pack`, which
 * reads its Pack i. From f16 the same bits arrive as from f32 that holds the same numbers.
 */
export function declareTables(tables: Readonly<Record<string, Table>>, PACK: PackSize): string {
  const lines = Object.entries(tables).map(([name, { binding, dtype }]) => {
    const [element, load] = dtype !== "f16"
      ? ["Pack", `${name}[i]`]
      : PACK === 4
      ? ["Half4", `fourOf(${name}[i])`]
      : ["Half", `halfOf(${name}[i / 2u], i)`];
    return `@group(0) @binding(${binding}) var<storage, read> ${name}: array<${element}>;\n` +
      `fn ${name}At(i: u32) -> Pack { return ${load}; }\n`;
  });
  const isHalf = Object.values(tables).some(({ dtype }) => dtype === "f16");
  return [...(isHalf ? [half] : []), ...lines].join("");
}

/** Names the tables of f16: "wte, wpe f16", or "" where there is none. */
export function halfTables(tables: Readonly<Record<string, Pick<Table, "dtype">>>): string {
  const names = Object.keys(tables).filter((name) => tables[name].dtype === "f16");
  return names.length === 0 ? "" : `${names.join(", ")} f16`;
}
