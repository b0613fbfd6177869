/** How often one of two paired values is the higher. @module */

/** Pairs by who is higher. */
export interface Wins {
  wins: number;
  ties: number;
  losses: number;
  /** (wins + ties / 2) / pairs; NaN of none. */
  rate: number;
}

/** How often the first of each pair is higher, of a - b. */
export function winsOf(difference: readonly number[]): Wins {
  const wins = difference.filter((d) => d > 0).length;
  const losses = difference.filter((d) => d < 0).length;
  const ties = difference.length - wins - losses;
  return { wins, ties, losses, rate: (wins + ties / 2) / difference.length };
}
