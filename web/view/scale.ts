/**
 * Where an axis begins and ends, and where its ticks stand. Rules, so that two charts of one measure can be
 * laid side by side:
 *   share   0 to 1, whatever the data
 *   zero    from 0 (or to 0, below it): for counts and amounts, whose size is what is read
 *   fit     what the data spans, for what has no natural zero (losses, logits, scores)
 * @module
 */

/** How an axis finds its ends. */
export type Span = "share" | "zero" | "fit";

/** An axis: its ends and its ticks, in the order of their values. */
export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** Steps that people count in: 1, 2 or 5 times a power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const share = rough / power;
  return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

/**
 * The axis of `values`, with about `count` ticks; what is not finite is left out. Values that are all one,
 * or none, get an axis around them.
 */
export function axisOf(values: Iterable<number>, span: Span, count = 5): Axis {
  if (span === "share") return { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1] };
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = [0, 1];
  if (span === "zero") [low, high] = [Math.min(0, low), Math.max(0, high)];
  if (low === high) {
    const room = low === 0 ? 1 : Math.abs(low) * 0.1;
    [low, high] = span === "zero" ? [0, 1] : [low - room, high + room];
  }
  const step = niceStep((high - low) / count);
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  // Multiples, not sums, of the step: no error adds up; the division takes its last digits off.
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => tidy((first + i) * step, step));
  return { low: ticks[0], high: ticks[ticks.length - 1], ticks };
}

/** A multiple of `step` without the digits that binary fractions leave: 0.3, not 0.30000000000000004. */
const tidy = (value: number, step: number): number => {
  const digits = Math.max(0, Math.min(100, Math.ceil(-Math.log10(step)) + 1));
  const text = digits > 20 ? value.toPrecision(12) : value.toFixed(digits);
  return Number(text) + 0;
};

/** The axis of steps from `first` to `last`: whole numbers, its ends where the data has them. */
export function stepAxis(first: number, last: number, count = 5): Axis {
  if (!(last > first)) return { low: first - 1, high: first + 1, ticks: [first] };
  const step = Math.max(1, niceStep((last - first) / count));
  const ticks: number[] = [];
  for (let k = Math.ceil(first / step); k * step <= last; k++) ticks.push(k * step);
  return { low: first, high: last, ticks };
}

/** Place of a value between two ends of the drawing. */
export const place = ({ low, high }: Pick<Axis, "low" | "high">, from: number, to: number) =>
(
  value: number,
): number => from + (to - from) * (value - low) / (high - low);
