/** How near two vectors point. @module */

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

/**
 * |a / |a| - b / |b||, the distance of two directions, in [0, 2]; a vector without length stays at the
 * origin, 1 from any direction.
 * @throws RangeError where the two have different dimensions.
 */
export function unitDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [p, q] = [a, b].map((vector) => {
    const length = Math.hypot(...Array.from(vector));
    return Float64Array.from(vector, (x) => length === 0 ? 0 : x / length);
  });
  if (p.length !== q.length) {
    throw new RangeError(
      `Cannot compare vectors as they need one length: ${p.length} and ${q.length}`,
    );
  }
  return Math.min(2, Math.hypot(...p.map((x, i) => x - q[i])));
}
