/** Rows that go through a pass together. @module */

/** Lists `rows` in pieces of at most `size`; 0 is all at once. */
export function pieces(rows: readonly number[], size: number): number[][] {
  const step = size === 0 ? Math.max(1, rows.length) : size;
  const out: number[][] = [];
  for (let at = 0; at < rows.length; at += step) out.push(rows.slice(at, at + step));
  return out;
}

/**
 * As `pieces`; where there is more than one, in the order of the rollout, whatever that of `rows`. Completions
 * of a prompt, which lie side by side in it, are then in few pieces, and a pass runs their prompt once.
 */
export function piecesInOrder(rows: readonly number[], size: number): number[][] {
  const all = pieces(rows, size);
  return all.length === 1 ? all : pieces(rows.toSorted((a, b) => a - b), size);
}
