/**
 * A chart of lines over steps: faint raw values under a smoothed line, or the mean of several runs with
 * the band that they span; healthy values shaded, checkpoints and skipped updates marked.
 * @module
 */
import {
  drawing,
  FIELD,
  type Frame,
  horizontalAxis,
  legendBelow,
  rule,
  SIZE,
  TONES,
  valueAxis,
} from "./frame.ts";
import { axisOf, place, type Span, stepAxis } from "./scale.ts";
import { smoothed, windowFor } from "./smooth.ts";
import { coordinate as at, escape, LETTER, short } from "./text.ts";

/** Values by step; NaN where there is none. */
export interface Line {
  readonly name: string;
  /** Its colour. Default: that of its place among the lines. */
  readonly tone?: number;
  readonly steps: readonly number[];
  /** What is drawn as it is, faintly, and smoothed over it. */
  readonly values: readonly number[];
  /** Ends of the band around the values, such as the least and the largest of several seeds. */
  readonly band?: { readonly low: readonly number[]; readonly high: readonly number[] };
}

/** Something that happened at a step. */
export interface Mark {
  readonly step: number;
  readonly words: string;
  /** Nothing to be glad of, such as a skipped update. */
  readonly ill?: boolean;
  /** Small, on the axis: of what happens often and changes nothing, such as a checkpoint. */
  readonly small?: boolean;
}

/** All that a chart of lines shows. */
export interface LineChart extends Frame {
  /** What the horizontal axis counts. Default "step". */
  readonly across?: string;
  readonly span: Span;
  readonly lines: readonly Line[];
  /** Values of a run that learns: from, to, either of which may be absent. */
  readonly healthy?: { readonly from?: number; readonly to?: number };
  readonly marks?: readonly Mark[];
}

/** Most places that tell their values: more than that are closer than a finger or a mouse can choose. */
const HITS = 60;

/** The chart as SVG text, a part of a page. The same numbers give the same bytes. */
export function lineChart(chart: LineChart, id: string): string {
  const { lines, span, healthy, marks = [], across = "step" } = chart;
  const steps = lines.flatMap((line) => line.steps);
  const flat = axisOf(heightsOf(lines), span);
  const axis = stepAxis(...ends(steps));
  const x = place(axis, FIELD.left, FIELD.right), y = place(flat, FIELD.bottom, FIELD.top);
  const { parts: names, height } = legendBelow(
    lines.map((line, k) => ({ name: line.name, kind: `f${toneOf(line, k)}` })),
    { top: LEGEND, room: SIZE.width - SIZE.right - (across.length + 2) * LETTER, least: 2 },
  );
  const parts = [
    ...healthyBand(healthy, flat.low, flat.high, y),
    ...valueAxis(flat),
    ...marks.filter(({ step, small }) => !small && step >= axis.low && step <= axis.high)
      .map((mark) =>
        told(
          across,
          mark,
          rule(mark.ill ? "mark ill" : "mark", x(mark.step), FIELD.top, x(mark.step), FIELD.bottom),
        )
      ),
    ...lines.flatMap((line, k) => drawLine(line, toneOf(line, k), x, y)),
    ...horizontalAxis(axis, across),
    ...names,
    ...hits(lines, across, x),
    ...marks.filter(({ step, small }) => small && step >= axis.low && step <= axis.high)
      .map((mark) => told(across, mark, `<path class="foot" d="${foot(x(mark.step))}"/>`)),
  ];
  return drawing(chart, parts, { id, height: Math.max(SIZE.height, LEGEND - 6 + height) });
}

/** Baseline of the first line of names, on the line of the word for the steps. */
const LEGEND = FIELD.bottom + 33;

const toneOf = ({ tone }: Line, k: number): number => (tone ?? k) % TONES;

/** A mark that says what it is where one points at it. */
const told = (across: string, { step, words }: Mark, drawn: string): string =>
  `<g><title>${escape(`${across} ${step}: ${words}`)}</title>${drawn}</g>`;

/** A triangle that stands on the axis. */
const foot = (x: number): string =>
  `M${at(x - 4)} ${FIELD.bottom}L${at(x)} ${FIELD.bottom - 7}L${at(x + 4)} ${FIELD.bottom}Z`;

/** First and last, so that no list of 100,000 is spread into arguments. */
function ends(values: readonly number[]): [number, number] {
  let low = Infinity, high = -Infinity;
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return low > high ? [0, 1] : [low, high];
}

function* heightsOf(lines: readonly Line[]): Generator<number> {
  for (const { values, band } of lines) {
    yield* values;
    if (band) yield* band.low;
    if (band) yield* band.high;
  }
}

type Placed = (value: number) => number;

function healthyBand(
  healthy: LineChart["healthy"],
  low: number,
  high: number,
  y: Placed,
): string[] {
  if (!healthy) return [];
  const from = Math.max(low, healthy.from ?? low), to = Math.min(high, healthy.to ?? high);
  if (!(to > from)) return [];
  return [
    `<rect class="well" x="${FIELD.left}" y="${at(y(to))}" width="${
      FIELD.right - FIELD.left
    }" height="${at(y(from) - y(to))}"/>`,
  ];
}

function drawLine({ steps, values, band }: Line, tone: number, x: Placed, y: Placed): string[] {
  const window = band ? 1 : windowFor(values.length);
  const path = (heights: readonly number[]) => pathOf(steps, heights, x, y);
  const parts: string[] = [];
  if (band) parts.push(`<path class="band f${tone}" d="${bandOf(steps, band, x, y)}"/>`);
  if (window > 1) parts.push(`<path class="raw s${tone}" d="${path(values)}"/>`);
  parts.push(`<path class="line s${tone}" d="${path(smoothed(values, window))}"/>`);
  if (values.length > 12) return parts;
  for (const [i, value] of values.entries()) { // a line through few points hides them
    if (!Number.isFinite(value)) continue;
    parts.push(`<circle class="f${tone}" cx="${at(x(steps[i]))}" cy="${at(y(value))}" r="3"/>`);
  }
  return parts;
}

/** Most parts of a line that are told apart: two a unit of its width. */
const PARTS = 600;

/** Places of the values that a line goes through: of many steps the least and the largest of each part. */
function kept(heights: readonly number[]): number[] {
  const all = heights.map((_, i) => i);
  if (all.length <= 2 * PARTS) return all;
  const size = all.length / PARTS;
  return Array.from({ length: PARTS }, (_, k) => {
    const part = all.slice(Math.floor(k * size), Math.floor((k + 1) * size));
    const found = part.filter((i) => Number.isFinite(heights[i]));
    if (found.length === 0) return [part[0]];
    const least = found.reduce((a, b) => heights[b] < heights[a] ? b : a);
    const most = found.reduce((a, b) => heights[b] > heights[a] ? b : a);
    return [...new Set([least, most, ...(k === PARTS - 1 ? [all.length - 1] : [])])]
      .sort((a, b) => a - b);
  }).flat();
}

/** A path that is broken where a value is missing. */
function pathOf(
  steps: readonly number[],
  heights: readonly number[],
  x: Placed,
  y: Placed,
): string {
  let path = "", isOpen = false;
  for (const i of kept(heights)) {
    const height = heights[i];
    if (!Number.isFinite(height)) {
      isOpen = false;
      continue;
    }
    path += `${isOpen ? "L" : "M"}${at(x(steps[i]))} ${at(y(height))}`;
    isOpen = true;
  }
  return path;
}

function bandOf(
  steps: readonly number[],
  { low, high }: NonNullable<Line["band"]>,
  x: Placed,
  y: Placed,
): string {
  const whole = steps.map((_, i) => i).filter((i) =>
    Number.isFinite(low[i]) && Number.isFinite(high[i])
  );
  if (whole.length === 0) return "";
  const there = whole.map((i) => `${at(x(steps[i]))} ${at(y(high[i]))}`);
  const back = whole.toReversed().map((i) => `${at(x(steps[i]))} ${at(y(low[i]))}`);
  return `M${[...there, ...back].join("L")}Z`;
}

/** The steps of all lines in order, at most about `most` of them, evenly chosen, the last among them. */
export function someSteps(lines: readonly Line[], most: number): number[] {
  const steps = [...new Set(lines.flatMap((line) => line.steps))].sort((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(steps.length / most));
  return steps.filter((_, i) => i % stride === 0 || i === steps.length - 1);
}

/** Upright strips that tell the values at their step: no script, and the same on a screen reader. */
function hits(lines: readonly Line[], across: string, x: Placed): string[] {
  const chosen = someSteps(lines, HITS);
  return chosen.map((step, i) => {
    const left = i === 0 ? FIELD.left : (x(chosen[i - 1]) + x(step)) / 2;
    const right = i === chosen.length - 1 ? FIELD.right : (x(step) + x(chosen[i + 1])) / 2;
    const told = lines.map((line) => {
      const found = line.steps.indexOf(step);
      return `${lines.length > 1 ? `${line.name} ` : ""}${
        found < 0 ? "-" : short(line.values[found]) || "-"
      }`;
    });
    return `<rect class="hit" x="${at(left)}" y="${FIELD.top}" width="${
      at(Math.max(0, right - left))
    }" height="${FIELD.bottom - FIELD.top}"><title>${
      escape(`${across} ${step}: ${told.join(", ")}`)
    }</title></rect>`;
  });
}
