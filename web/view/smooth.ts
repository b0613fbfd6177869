/** A line through noise. @module */

/**
 * Centred means over `window` values (odd; fewer at both ends, as many on either side), leaving out what is
 * not finite. A place without any value around it stays NaN.
 * @throws {RangeError} for a window that is not a whole odd number from 1
 */
export function smoothed(values: readonly number[], window: number): number[] {
  if (!(Number.isSafeInteger(window) && window > 0 && window % 2 === 1)) {
    throw new RangeError(`Cannot smooth as the window must be odd, from 1: it is ${window}`);
  }
  const half = (window - 1) / 2;
  return values.map((_, i) => {
    const reach = Math.min(half, i, values.length - 1 - i);
    let sum = 0, n = 0;
    for (let k = i - reach; k <= i + reach; k++) {
      if (!Number.isFinite(values[k])) continue;
      sum += values[k];
      n++;
    }
    return n === 0 ? NaN : sum / n;
  });
}

/** The window for so many steps: a tenth of them, odd; 1, which smooths nothing, below 20 steps. */
export function windowFor(steps: number): number {
  if (steps < 20) return 1;
  const tenth = Math.round(steps / 10);
  return tenth % 2 === 1 ? tenth : tenth + 1;
}
