/** Numbers for tests of kernels. @module */

/** `n` numbers of size `scale` without a pattern that an index error could hide behind. */
export const wavesOf =
  (frequency: number) => (n: number, scale = 1, phase = 1): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: n }, (_, i) => scale * Math.sin(i * i * frequency + phase));

/** What stands where nothing may be written. */
export const CANARY = 7777;
