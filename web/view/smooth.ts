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
  // Sums and counts of all values before a place: a mean is the difference of two, whatever the window.
  const sums = [0], counts = [0];
  for (const [i, value] of values.entries()) {
    const is = Number.isFinite(value);
    sums.push(sums[i] + (is ? value : 0));
    counts.push(counts[i] + (is ? 1 : 0));
  }
  const half = (window - 1) / 2;
  return values.map((value, i) => {
    const reach = Math.min(half, i, values.length - 1 - i);
    if (reach === 0) return Number.isFinite(value) ? value : NaN;
    const from = i - reach, to = i + reach + 1;
    return (sums[to] - sums[from]) / (counts[to] - counts[from]);
  });
}

/** The window for so many steps: a tenth of them, odd; 1, which smooths nothing, below 20 steps. */
export function windowFor(steps: number): number {
  if (steps < 20) return 1;
  const tenth = Math.round(steps / 10);
  return tenth % 2 === 1 ? tenth : tenth + 1;
}
