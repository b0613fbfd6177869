/**
 * Fresh weights: counter-based, so that the same seed gives the same numbers on any machine and in any
 * order.
 * @module
 */
import { philox } from "../kernels/sample.ts";

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
