/** Axes: from numbers to pixels, with round ticks. @module */

/** One axis: what it measures, and from where to where; by default as far as the numbers go. */
export interface Axis {
  label: string;
  range?: readonly [from: number, to: number];
  /** Powers of ten in equal steps. */
  log?: boolean;
}

/** Pixels of numbers, and the numbers to write beside the axis. */
export interface Scale {
  at: (value: number) => number;
  ticks: number[];
}

/** From numbers to pixels, with five round ticks or so. */
export function scaleOf(
  { range, log }: Axis,
  values: readonly number[],
  [from, to]: [number, number],
): Scale {
  let [low, high] = range ?? [Math.min(...values), Math.max(...values)];
  if (log) {
    [low, high] = range ? [Math.log10(low), Math.log10(high)] : [
      Math.floor(Math.log10(low)),
      Math.ceil(Math.log10(high)),
    ];
    if (low === high) high++;
    const step = Math.max(1, Math.ceil((high - low) / 6)), ticks = [];
    for (let e = Math.ceil(low); e <= high + 1e-9; e += step) ticks.push(10 ** e);
    return { at: (v) => from + (Math.log10(v) - low) / (high - low) * (to - from), ticks };
  }
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999)!;
  if (!range) [low, high] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    ticks.push(k * step);
  }
  return { at: (v) => from + (v - low) / (high - low) * (to - from), ticks };
}

/** A number as an axis has it. */
export const tick = (x: number): string =>
  x !== 0 && (Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3)
    ? x.toExponential(0).replace("e+", "e")
    : String(Number(x.toPrecision(6)));
