/**
 * Fresh weights: counter-based, so that the same seed gives the same numbers on any machine and in any
 * order.
 * @module
 */
import { philox } from "../base/random.ts";

const unit = (bits: number): number => (bits + 0.5) / 2 ** 32; // in (0, 1): its log is finite
const keyOf = (seed: number) => [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;

/** Fills `out` with uniform draws between -bound and bound. */
export function fillUniform(
  out: Float32Array,
  { bound, seed, stream }: { bound: number; seed: number; stream: number },
): void {
  const key = keyOf(seed);
  for (let i = 0; i < out.length; i += 4) {
    const bits = philox([i / 4, stream, 0, 0], key);
    for (let j = 0; j < 4 && i + j < out.length; j++) out[i + j] = bound * (2 * unit(bits[j]) - 1);
  }
}

/** Fills `out` with normal draws of mean 0, by Box and Muller (1958), two from each pair of integers. */
export function fillNormal(
  out: Float32Array,
  { std, seed, stream }: { std: number; seed: number; stream: number },
): void {
  const key = keyOf(seed);
  for (let i = 0; i < out.length; i += 4) {
    const bits = philox([i / 4, stream, 0, 0], key);
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = std * Math.sqrt(-2 * Math.log(unit(bits[pair])));
      const angle = 2 * Math.PI * unit(bits[pair + 1]);
      if (i + pair < out.length) out[i + pair] = radius * Math.cos(angle);
      if (i + pair + 1 < out.length) out[i + pair + 1] = radius * Math.sin(angle);
    }
  }
}
