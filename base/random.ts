/**
 * Order of rows from a seed and a counter: the same numbers give the same order, whatever was drawn
 * before. Philox 4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 * @module
 */

/** High 32 bits of the 64-bit product, from 16-bit halves: a double cannot hold it whole. */
function high(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const cross = aHigh * bLow + (aLow * bLow >>> 16);
  return aHigh * bHigh + Math.floor(cross / 65536) +
    (((cross & 0xffff) + aLow * bHigh) / 65536 >>> 0);
}

/** Four words of counter and two of key give four independent 32-bit words. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [a, b, c, d] = counter, [k, l] = key;
  for (let round = 0; round < 10; round++) {
    const a0 = a >>> 0, c0 = c >>> 0;
    [a, b, c, d] = [
      (high(0xcd9e8d57, c0) ^ b ^ k) >>> 0,
      Math.imul(0xcd9e8d57, c0) >>> 0,
      (high(0xd2511f53, a0) ^ d ^ l) >>> 0,
      Math.imul(0xd2511f53, a0) >>> 0,
    ];
    k = (k + 0x9e3779b9) >>> 0;
    l = (l + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/** 0 … n - 1 in an order that depends on the seed, the step and the epoch alone (Fisher-Yates). */
export function permutation(
  n: number,
  { seed, step, epoch }: { seed: number; step: number; epoch: number },
): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    // The last counter word keeps these draws apart from those of samplers under the same seed.
    const [word] = philox([i, step, epoch, 0x73687566], [seed >>> 0, 0]);
    const j = Math.floor(word / 2 ** 32 * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
