/**
 * Products whose sums are long and whose results are few: workgroups, which own results, would be too few
 * to fill the adapter. So each sum is cut into parts, in order: planes of workgroups leave them in scratch,
 * (parts, M, N), and a second kernel adds them up in the order of k and does the epilogue.
 * @module
 */
import type { Device, Launch, Tensor } from "./device.ts";
import { type Asked, partOf, productKernel, type ProductSize } from "./matmul_choice.ts";
import { combineKernel } from "./matmul_combine.ts";
import type { Epilogue } from "./matmul_twin.ts";
import type { Adapter } from "./tuning.ts";

/** Most elements of scratch that are asked for, 32 MiB: what has more rows is launched in blocks of rows. */
const MOST = 2 ** 23;
const ROWS = 128; // blocks are whole tiles

/** Elements from one row of the parts to the next: they are stored by fours. */
const widthOf = (N: number): number => Math.ceil(N / 4) * 4;

/** Rows of which `elements` hold the parts, in whole fours; no sum depends on it. */
function blockOf({ M, N }: Pick<ProductSize, "M" | "N">, parts: number, elements: number): number {
  const most = Math.floor(elements / parts / widthOf(N)), unit = most < ROWS ? 4 : ROWS;
  return most >= M ? M : Math.floor(most / unit) * unit;
}

/**
 * Elements of scratch with which `matmul` takes sums in parts where they are long; 0 where they are not. With
 * less, in blocks of fewer rows, it does the same.
 */
export function partialScratch(
  adapter: Adapter,
  size: ProductSize,
  part: number = partOf(adapter, size),
): number {
  const parts = Math.ceil(size.K / part);
  return parts === 1 ? 0 : parts * widthOf(size.N) * blockOf(size, parts, MOST);
}

/** What `matmul` hands on: a launch with all of its tensors and dims, and what is asked of its kernel. */
export interface PartedLaunch extends Pick<Launch, "bind"> {
  readonly dims: Launch["dims"] & Pick<ProductSize, "M" | "N" | "K">;
  readonly asked: Asked & { readonly epilogue: Epilogue };
  /** Scratch. */
  readonly partial: Tensor;
  /** k's of one part, a multiple of 8. */
  readonly part: number;
}

/**
 * Enqueues both steps, block of rows after block of rows.
 * @throws {RangeError} when parts are no multiples of 8, or the scratch is too small for four rows
 */
export function launchParts(
  device: Device,
  { dims, bind: { a, b, ...stored }, asked, partial, part }: PartedLaunch,
): void {
  if (!(Number.isInteger(part / 8) && part > 0)) {
    throw new RangeError(
      `Cannot take sums of ${dims.K} in parts as those are multiples of 8: part is ${part}`,
    );
  }
  const { M, N, K, ldA, atA, ldOut, atOut } = dims, { orientation, epilogue, accumulate } = asked;
  const parts = Math.ceil(K / part), width = widthOf(N);
  const block = blockOf(dims, parts, partial.length), least = parts * width * Math.min(4, M);
  if (block === 0) {
    throw new RangeError(
      `Cannot take sums of ${K} in ${parts} parts as their scratch has ${least} elements at least: ` +
        `"${partial.label}" has ${partial.length}; give it partialScratch of them`,
    );
  }
  for (let row = 0; row < M; row += block) {
    const rows = Math.min(block, M - row), plane = rows * width;
    const held = [partial, parts * plane] as const;
    const size = { orientation, M: rows, N, K };
    device.launch({
      ...productKernel(device, size, { ...asked, epilogue: "part", accumulate: false, parts }),
      dims: {
        ...{ ...dims, M: rows, part, plane },
        ...{ atA: atA + row * (orientation === "TN" ? 1 : ldA), ldOut: width, atOut: 0 },
      },
      bind: { a, b, out: held },
    });
    device.launch({
      kernel: combineKernel({ epilogue, accumulate, partial: N % 4 !== 0 }),
      dims: {
        ...{ ...dims, M: rows, K: parts, part: 1, plane },
        ...{ ldA: width, atA: 0, atOut: atOut + row * ldOut },
      },
      bind: { ...stored, a: held },
      threads: plane / 4,
    });
  }
}
