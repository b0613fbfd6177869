/** What device memory is for, and how much is in use. @module */

/** "other" is token ids, results of a few numbers a row, and what is kept for reuse. */
export const MEMORY_KINDS = [
  "weights",
  "gradients",
  "moments",
  "activations",
  "logits",
  "cache",
  "other",
] as const;

/** One of `MEMORY_KINDS`. */
export type MemoryKind = typeof MEMORY_KINDS[number];

/** Live and peak device memory, in bytes, counted at allocation. */
export interface MemoryUse {
  /** Bytes of tensors now in use. */
  readonly live: number;
  /** Bytes held from the driver: in use, or kept in the pool for reuse. */
  readonly held: number;
  /** Largest `held` so far. */
  readonly peak: number;
  /** Bytes of the small buffers with the dims of recorded programs' launches. */
  readonly programs: number;
}
