/** From two vectors to a reward. @module */
import { cosine, unitDistance } from "./cosine.ts";

/** How nearness becomes a reward, see `rewards/semantic.ts`. */
export type Mapping = "affine" | "relu" | "euclidean";
export const MAPPINGS: readonly Mapping[] = ["affine", "relu", "euclidean"];

type Vector = ArrayLike<number>;

/**
 * The reward of two vectors: affine ((cos + 1) / 2)^p, relu max(0, cos)^p, in [0, 1]; euclidean one less
 * the distance of their directions, clamped to [-1, 1].
 * @throws {TypeError} for an unknown mapping, RangeError for a power p that is not above 0
 */
export function nearness(mapping: Mapping, power: number): (a: Vector, b: Vector) => number {
  if (!MAPPINGS.includes(mapping)) {
    const known = MAPPINGS.join(", ");
    throw new TypeError(
      `Cannot map cosines as mapping must be one of ${known}: it is "${mapping}"`,
    );
  }
  if (!(power > 0 && power < Infinity)) {
    throw new RangeError(`Cannot sharpen cosines as power must be above 0: it is ${power}`);
  }
  return {
    affine: (a: Vector, b: Vector) => ((cosine(a, b) + 1) / 2) ** power,
    relu: (a: Vector, b: Vector) => Math.max(0, cosine(a, b)) ** power,
    euclidean: (a: Vector, b: Vector) => Math.max(-1, Math.min(1, 1 - unitDistance(a, b))),
  }[mapping];
}
