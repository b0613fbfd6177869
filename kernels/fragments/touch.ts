/** When products touch b before they read it. @module */

/**
 * Whether rows of b (K, N) lie apart and b is larger than a processor's own cache. No sum depends on it.
 * Graphics hardware has other lanes at work while some wait, and does without.
 */
export const isWorthTouching = (
  { orientation, N, K }: { orientation: string; N: number; K: number },
): boolean => orientation === "NN" && N >= 512 && N * K >= 2 ** 19;
