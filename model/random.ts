/**
 * Fresh weights: counter-based, so that the same seed gives the same numbers on any machine and in any
 * order.
 * @module
 */
import { drawWords, type RandomStreams, STREAMS } from "../base/random.ts";

const unit = (bits: number): number => (bits + 0.5) / 2 ** 32; // in (0, 1): its log is finite

/** Which random numbers fill an array. */
export interface Draws {
  /** An integer from 0 to 2^53 - 1. */
  seed: number;
  /** Number of the parameter among those of its stream. */
  parameter: number;
  /** STREAMS.weights unless given. */
  stream?: RandomStreams["weights" | "adapter" | "valueHead"];
}

/** Fills `out` with uniform draws between -bound and bound. */
export function fillUniform(
  out: Float32Array,
  { bound, seed, parameter, stream = STREAMS.weights }: Draws & { bound: number },
): void {
  for (let i = 0; i < out.length; i += 4) {
    const bits = drawWords(stream, seed, { block: i / 4, parameter });
    for (let j = 0; j < 4 && i + j < out.length; j++) out[i + j] = bound * (2 * unit(bits[j]) - 1);
  }
}

/** Fills `out` with normal draws of mean 0, by Box and Muller (1958), two from each pair of integers. */
export function fillNormal(
  out: Float32Array,
  { std, seed, parameter, stream = STREAMS.weights }: Draws & { std: number },
): void {
  for (let i = 0; i < out.length; i += 4) {
    const bits = drawWords(stream, seed, { block: i / 4, parameter });
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = std * Math.sqrt(-2 * Math.log(unit(bits[pair])));
      const angle = 2 * Math.PI * unit(bits[pair + 1]);
      if (i + pair < out.length) out[i + pair] = radius * Math.cos(angle);
      if (i + pair + 1 < out.length) out[i + pair + 1] = radius * Math.sin(angle);
    }
  }
}
