/** Cosine similarity. @module */

/**
 * a.b / (|a| |b|), in [-1, 1]; 0 where a vector has no length, as it points nowhere.
 * @throws RangeError where the two have different dimensions.
 */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw new RangeError(
      `Cannot compare vectors as they need one length: ${a.length} and ${b.length}`,
    );
  }
  let dot = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  if (aa === 0 || bb === 0) return 0;
  // Rounding may leave 1.0000000000000002, and a power of 4 would keep it above 1.
  return Math.max(-1, Math.min(1, dot / (Math.sqrt(aa) * Math.sqrt(bb))));
}
