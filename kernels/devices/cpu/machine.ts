/** What the machine gives the CPU device: threads, and memory that they all see. @module */

const USUAL_THREADS = 8, MOST_THREADS = 64;

/**
 * How many threads compute where `wanted` are: by default as many as there are cores, at most 8; 1 where
 * memory cannot be shared, as in a page that is not isolated from others.
 * @throws {RangeError} when it is not an integer from 1 to 64
 */
export function threadsFor(wanted?: number): number {
  const count = wanted ?? Math.min(USUAL_THREADS, globalThis.navigator?.hardwareConcurrency ?? 1);
  if (!(Number.isInteger(count) && count >= 1 && count <= MOST_THREADS)) {
    throw new RangeError(
      `Cannot compute on the CPU as workers, this thread among them, are 1 to 64: ${count}`,
    );
  }
  const canShare = typeof SharedArrayBuffer === "function" && typeof Worker === "function";
  return canShare ? count : 1;
}

/**
 * Memory that several threads see. V8 does not count it when it decides whether to collect garbage, so
 * that dropped tensors would pile up; the plain buffer beside it, of which no page is touched, is counted.
 */
export function sharedMemory(bytes: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(bytes);
  new ArrayBuffer(bytes);
  return memory;
}
