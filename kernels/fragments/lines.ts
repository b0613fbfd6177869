/** Repeating lines of WGSL, where a loop would cost. @module */

/** The lines for 0, 1, … below `n`. */
export const each = (n: number, line: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => line(i)).join("\n");
