/** Sums of a loss over tokens: pieces of an optimiser batch add up, and means are made at the end. @module */
import type { LossInputs } from "../algorithm.ts";
import { clampLogRatio } from "../kl.ts";

/** Sums over the tokens that count, by the name of the metric. */
export interface LossSums {
  /** Tokens that count. */
  tokens: number;
  /** Sums; their means over tokens are reported. */
  sum: Record<string, number>;
  /** Sums of weight times a loss; the weights are the normaliser, so they are reported as they are. */
  weighted: Record<string, number>;
  /** Smallest values; not sums. */
  min: Record<string, number>;
  /** Largest values; not sums. */
  max: Record<string, number>;
}

/** The sums of nothing. */
export const emptySums = (): LossSums => ({ tokens: 0, sum: {}, weighted: {}, min: {}, max: {} });

/** Sums of two pieces together. */
export function addSums(a: LossSums, b: LossSums): LossSums {
  const join = (
    x: Record<string, number>,
    y: Record<string, number>,
    how: (p: number, q: number) => number,
  ): Record<string, number> => {
    const out = { ...x };
    for (const [name, value] of Object.entries(y)) {
      out[name] = Object.hasOwn(out, name) ? how(out[name], value) : value;
    }
    return out;
  };
  return {
    tokens: a.tokens + b.tokens,
    sum: join(a.sum, b.sum, (p, q) => p + q),
    weighted: join(a.weighted, b.weighted, (p, q) => p + q),
    min: join(a.min, b.min, Math.min),
    max: join(a.max, b.max, Math.max),
  };
}

/** What two sums over the same tokens say, in one. */
export const bothSums = (a: LossSums, b: LossSums): LossSums => ({
  tokens: a.tokens,
  sum: { ...a.sum, ...b.sum },
  weighted: { ...a.weighted, ...b.weighted },
  min: { ...a.min, ...b.min },
  max: { ...a.max, ...b.max },
});

/**
 * True where every sum is finite in 32 bits, as the network's numbers are: a fault anywhere reaches one, also
 * one that is finite itself, such as 1e30, by its square.
 */
export const sumsAreFinite = ({ sum, weighted }: LossSums): boolean =>
  [...Object.values(sum), ...Object.values(weighted)].every((x) => Number.isFinite(Math.fround(x)));

/** Means over tokens, weighted sums, and the extremes, of one optimiser batch. */
export function meansOf({ tokens, sum, weighted, min, max }: LossSums): Record<string, number> {
  const means = Object.fromEntries(Object.entries(sum).map(([name, x]) => [name, x / tokens]));
  return { ...means, ...weighted, ...min, ...max };
}

/** What is told of every policy, whatever its loss: entropy, and how far it moved since it drew. */
export function policySums({ grid: { mask }, logprob, oldLogprob, entropy }: LossInputs): LossSums {
  let tokens = 0, H = 0, approxKl = 0, policyKl = 0, ratios = 0, least = Infinity, most = -Infinity;
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    // An infinite log-ratio is clamped in the ratio, but not in approxKl, where a fault then shows.
    const d = logprob[i] - oldLogprob[i], ratio = Math.exp(clampLogRatio(d));
    tokens++;
    H += entropy[i];
    approxKl += d * d / 2;
    policyKl -= d;
    ratios += ratio;
    least = Math.min(least, ratio);
    most = Math.max(most, ratio);
  }
  return {
    tokens,
    sum: {
      "policy/entropy": H,
      "policy/approxkl": approxKl,
      "policy/policykl": policyKl,
      "policy/ratio": ratios,
    },
    weighted: {},
    min: { "policy/ratio_min": least },
    max: { "policy/ratio_max": most },
  };
}
