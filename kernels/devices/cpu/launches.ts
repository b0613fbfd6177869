/** Launches as threads share them: plain data, the twin by its name. @module */
import type { Kernel } from "../../device.ts";
import type { Arrays, Dims } from "./split.ts";
import { twinNamed, twinOf } from "./twins.ts";

/** One launch, cut into parts. Its arrays lie in shared memory. */
export interface SharedLaunch {
  /** Name of its twin. */
  readonly twin: string;
  readonly arrays: Arrays;
  readonly dims: Dims;
  /** Where each part begins, and behind them where the last one ends: in lines. */
  readonly bounds: readonly number[];
  /** Multiply-adds of the whole, roughly. */
  readonly work: number;
}

/**
 * The launch as parts of at least `least` multiply-adds each for `count` threads; undefined where it
 * makes less than two, or its twin is not known to other threads.
 */
export function sharedLaunch(
  { twin }: Pick<Kernel, "twin">,
  { arrays, dims }: { arrays: Arrays; dims: Dims },
  { count, least }: { count: number; least: number },
): SharedLaunch | undefined {
  const known = twinOf(twin);
  if (!known || count === 1) return undefined;
  const { name, split } = known;
  const lines = split.lines(dims, arrays), work = split.work(dims, lines);
  if (!(work >= 2 * least)) return undefined;
  const bounds = boundsOf(lines, {
    count,
    unit: split.unit?.(dims) ?? 1,
    least: Math.max(least / work, 1 / (16 * count)) * lines,
  });
  return bounds.length > 2 ? { twin: name, arrays, dims, bounds, work } : undefined;
}

/**
 * Parts that become smaller: large ones first, as each has to unpack what all share, and small ones last,
 * so that all threads end at about the same time (guided self-scheduling, Polychronopoulos and Kuck 1987).
 * Each starts at a multiple of `unit` and has `least` lines, but for the last.
 */
function boundsOf(
  lines: number,
  { count, unit, least }: { count: number; unit: number; least: number },
): number[] {
  const bounds = [0];
  for (let start = 0; start < lines;) {
    const size = Math.max(least, (lines - start) / (2 * count));
    start = Math.min(lines, start + Math.ceil(size / unit) * unit);
    bounds.push(start);
  }
  return bounds;
}

/** How many parts it has. */
export const partsOf = ({ bounds }: SharedLaunch): number => bounds.length - 1;

/** Computes one part on this thread: that before which `left` of the parts were left. */
export function runPart({ twin, arrays, dims, bounds }: SharedLaunch, left: number): void {
  const { twin: compute, split } = twinNamed(twin), part = bounds.length - 1 - left;
  compute(...split.part(arrays, dims, [bounds[part], bounds[part + 1]]));
}
