/** The chunks of rows in which the head goes through its logits. @module */
import type { DeviceLimits, Tensor } from "../../kernels/device.ts";
import { ALIGN, align, view } from "../../kernels/tensor.ts";
import type { HeadActivations } from "./head.ts";

/** Columns of one row of logits: V rounded up so that rows start aligned. */
export const logitsWidth = (V: number): number => align(V);

/**
 * How many rows of logits fit in `bytes` and in one binding.
 * @throws {RangeError} when not even ALIGN rows fit in one binding
 */
export function chunkRows(limits: DeviceLimits, { V, R, bytes }: {
  V: number;
  R: number;
  bytes: number;
}): number {
  const row = logitsWidth(V) * 4;
  const most = (room: number): number => Math.floor(room / row / ALIGN) * ALIGN;
  const rows = Math.max(ALIGN, most(Math.min(bytes, limits.maxBinding)));
  if (Math.min(R, rows) * row > limits.maxBinding) {
    throw new RangeError(
      `Cannot hold ${Math.min(R, rows)} rows of logits as one binding has ${limits.maxBinding} ` +
        `bytes: ${V} tokens need ${row} a row; use a smaller vocabulary or another device`,
    );
  }
  return rows;
}

/** Some of the rows. */
interface Chunk {
  start: number;
  rows: number;
}

/** All chunks, in order. */
export function chunks({ R, chunk }: { R: number; chunk: number }): Chunk[] {
  return Array.from({ length: Math.ceil(R / chunk) }, (_, i) => ({
    start: i * chunk,
    rows: Math.min(chunk, R - i * chunk),
  }));
}

/** The parts of the activations that belong to one chunk. */
export function chunkOf(
  { start, rows }: Chunk,
  { hidden, logits, logprob, entropy, lse }: HeadActivations,
  { C, V }: { C: number; V: number },
): { at: Record<"hidden" | "logprob" | "entropy" | "lse", Tensor>; logits: Tensor } {
  return {
    at: {
      hidden: rowsOf(hidden, C, start, start + rows),
      logprob: view(logprob, start, rows),
      entropy: view(entropy, start, rows),
      lse: view(lse, 2 * start, 2 * rows),
    },
    logits: view(logits, 0, rows * logitsWidth(V)),
  };
}

/** Rows [start, end) of (R, C). */
export const rowsOf = (tensor: Tensor, C: number, start: number, end: number): Tensor =>
  view(tensor, start * C, (end - start) * C);
