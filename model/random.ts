/**
 * Counter-based random numbers on the host: the same key and counter give the same draw on any
 * machine and in any order. Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random
 * Numbers: As Easy as 1, 2, 3" (2011).
 * @module
 */

const ROUNDS = 10;

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const middle = aHigh * bLow + Math.floor(aLow * bLow / 65536);
  const cross = aLow * bHigh + middle % 65536;
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(cross / 65536)) >>> 0;
}

/** One block: four unsigned 32-bit integers from a counter of four and a key of two. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(0xd2511f53, a), low0 = Math.imul(0xd2511f53, a);
    const high1 = multiplyHigh(0xcd9e8d57, c), low1 = Math.imul(0xcd9e8d57, c);
    [a, b, c, d] = [high1 ^ b ^ k0, low1, high0 ^ d ^ k1, low0];
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

/** Fills `out` with normal draws of mean 0, by Box and Muller (1958), two from each pair of integers. */
export function fillNormal(
  out: Float32Array,
  { deviation, seed, stream }: { deviation: number; seed: number; stream: number },
): void {
  const unit = (bits: number): number => (bits + 0.5) / 2 ** 32; // in (0, 1): its log is finite
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;
  for (let i = 0; i < out.length; i += 4) {
    const bits = philox([i / 4, stream, 0, 0], key);
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log(unit(bits[pair])));
      const angle = 2 * Math.PI * unit(bits[pair + 1]);
      if (i + pair < out.length) out[i + pair] = radius * Math.cos(angle);
      if (i + pair + 1 < out.length) out[i + pair + 1] = radius * Math.sin(angle);
    }
  }
}
