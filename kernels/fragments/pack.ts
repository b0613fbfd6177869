/** One WGSL text for two widths: rows of whole vec4f where the row length allows, else of f32. @module */
import type { Device, Kernel, Tensor } from "../device.ts";

/** How wide a launch works: the code to compile and the `override PACK` that goes with it. */
export interface Packing {
  readonly code: string;
  readonly constants: { readonly PACK: number };
}

/**
 * Chooses the width for rows of `C` elements. The WGSL declares its buffers as `array<Pack>` with
 * `alias Pack = vec4f;`, counts a row as `C / PACK`, and folds a Pack with `fn fold`; for rows that
 * are no multiple of four the alias becomes f32. Loads of four are 2 to 4 times as fast on a
 * software adapter.
 */
export function packing(code: string, C: number): Packing {
  if (C % 4 === 0) return { code, constants: { PACK: 4 } };
  const narrow = code.replace("alias Pack = vec4f;", "alias Pack = f32;")
    .replace("return p.x + p.y + p.z + p.w;", "return p;");
  return { code: narrow, constants: { PACK: 1 } };
}

/**
 * Enqueues a kernel whose outputs at i need the inputs at i alone: N elements of every tensor, one Pack
 * an invocation, under the names that the WGSL declares.
 */
export function launchElements(
  device: Device,
  { label, code, twin }: Pick<Kernel, "label" | "code" | "twin">,
  tensors: Readonly<Record<string, Tensor>>,
  { N }: { N: number },
): void {
  const wide = packing(code, N);
  device.launch({
    kernel: { label, twin, ...wide },
    dims: { N },
    bind: Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, [x, N]])),
    threads: N / wide.constants.PACK,
  });
}
