/** Decimal numbers out of bytes, without a text in between. @module */

const POWERS = Float64Array.from({ length: 23 }, (_, n) => Number(`1e${n}`)); // exact in a double

/**
 * The number that bytes [from, to) spell, as `Number` reads it; NaN where they spell none. One of up to 15
 * digits and 22 decimals, as files of vectors have, is a whole number over a power of ten, both exact in a
 * double: their quotient is rounded once, and right (Clinger 1990, "How to Read Floating Point Numbers
 * Accurately").
 */
export function readDecimal(bytes: Uint8Array, from: number, to: number): number {
  let at = from, digits = 0, decimals = -1, whole = 0;
  const isMinus = bytes[at] === 45; // -
  if (isMinus) at++;
  for (; at < to; at++) {
    const digit = bytes[at] - 48;
    if (digit >= 0 && digit <= 9) {
      whole = 10 * whole + digit;
      digits++;
      if (decimals >= 0) decimals++;
    } else if (bytes[at] === 46 && decimals < 0) decimals = 0; // .
    else break;
  }
  if (at === to && digits > 0 && digits <= 15 && decimals <= 22) {
    const size = decimals > 0 ? whole / POWERS[decimals] : whole;
    return isMinus ? -size : size;
  }
  const text = new TextDecoder().decode(bytes.subarray(from, to));
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : NaN;
}
