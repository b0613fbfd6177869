/** Kernels that work on whole vec4f where the row length allows, and on single f32 elsewhere. @module */
import type { Device, Kernel, Tensor } from "../device.ts";
import one from "./pack1.wgsl" with { type: "text" };
import four from "./pack4.wgsl" with { type: "text" };

/** How many elements one invocation takes at a time. */
export type PackSize = 1 | 4;

/** What to compile, and the width that it works in. */
export interface Packed {
  readonly text: Required<Pick<Kernel, "code" | "variant">>;
  readonly PACK: PackSize;
}

/** The width for rows of `C` elements. Loads of four are 2 to 4 times as fast on a software adapter. */
export const packSize = (C: number): PackSize => C % 4 === 0 ? 4 : 1;

const texts = new Map<string, Record<PackSize, Packed>>(); // by code

/**
 * `code` behind the fragment that declares `Pack`, `PACK` and `fold` for rows of `C` elements: the WGSL
 * declares its buffers as `array<Pack>` and counts a row as `C / PACK`. Equal arguments give one object.
 */
export function packed(code: string, C: number): Packed {
  let found = texts.get(code);
  if (!found) {
    found = {
      1: { text: { code: `${one}\n${code}`, variant: "Pack of 1" }, PACK: 1 },
      4: { text: { code: `${four}\n${code}`, variant: "Pack of 4" }, PACK: 4 },
    };
    texts.set(code, found);
  }
  return found[packSize(C)];
}

const LANES = 32; // Packs of one row in one workgroup: all of C = 128

/**
 * Threads and grid of a kernel with one invocation a Pack of C channels and one workgroup row for each of
 * `rows`; of more than 65,535 it strides by `num_workgroups.y`.
 */
export const packGrid = (rows: number, C: number): {
  workgroup: number;
  groups: [number, number];
} => ({
  workgroup: LANES,
  groups: [Math.ceil(C / packSize(C) / LANES), Math.min(rows, 65535)],
});

/**
 * Enqueues a kernel whose outputs at i need the inputs at i alone: N elements of every tensor, one Pack
 * an invocation, under the names that the WGSL declares. `dims` may hold further numbers for it.
 */
export function launchElements(
  device: Device,
  { code, ...kernel }: Pick<Kernel, "label" | "entryPoint" | "code" | "twin">,
  tensors: Readonly<Record<string, Tensor>>,
  dims: { readonly N: number } & Readonly<Record<string, number>>,
): void {
  const { N } = dims, { PACK, text } = packed(code, N);
  device.launch({
    kernel: { ...kernel, ...text },
    dims,
    bind: Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, [x, N]])),
    threads: N / PACK,
  });
}
